/* SPDX-License-Identifier: GPL-2.0-or-later */
/* p9many FOLDER: how many entries it has besides . and .., and how many different ones of them are f0, f1, ... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LIMIT	(1 << 24)

int main(int argc, char **argv)
{
	DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
	unsigned char *seen = calloc(1, LIMIT / 8);
	unsigned entries = 0, different = 0;
	struct timespec a, b;
	struct dirent *e;

	if (!d || !seen) {
		perror("p9many FOLDER");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	while ((e = readdir(d))) {
		long n = e->d_name[0] == 'f' ? atol(e->d_name + 1) : -1;

		entries += e->d_name[0] != '.';
		if (n >= 0 && n < LIMIT && !(seen[n / 8] & 1 << n % 8)) {
			seen[n / 8] |= 1 << n % 8;
			different++;
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("p9many %u %u\np9many took %.1f s\n", entries, different, (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	return 0;
}
