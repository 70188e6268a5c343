/* SPDX-License-Identifier: GPL-2.0-or-later */
/* p9bench FOLDER SECONDS: rates of a mounted share, a row each, larger is better. Each kind goes on for SECONDS. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	(1 << 20)
#define FILES	400

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void row(const char *name, double n, double begin)
{
	printf("p9bench %s %.1f\n", name, n / (now() - begin));
	fflush(stdout);
}

static void sequential(double seconds)
{
	char *buf = malloc(CHUNK);
	double begin = now(), mib = 0;
	int fd = open("big", O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(buf, 'x', CHUNK);
	while (now() < begin + seconds && write(fd, buf, CHUNK) == CHUNK) {
		if (++mib >= 64 && (int)mib % 64 == 0)
			lseek(fd, 0, SEEK_SET);
	}
	row("write-mib/s", mib, begin);
	begin = now();
	mib = 0;
	lseek(fd, 0, SEEK_SET);
	while (now() < begin + seconds) {
		ssize_t n = read(fd, buf, CHUNK);

		if (n <= 0)
			lseek(fd, 0, SEEK_SET);
		else
			mib += n / 1048576.0;
	}
	row("read-mib/s", mib, begin);
	begin = now();
	mib = 0;
	while (now() < begin + seconds) {
		if (pread(fd, buf, 4096, (long)mib * 4096 % (1 << 20)) != 4096)
			break;
		mib++;
	}
	row("read-4k/s", mib, begin);
	close(fd);
	unlink("big");
}

static const char *name_of(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "d/f%d", i);
	return name;
}

static void small(double seconds)
{
	double t[4] = { 0 }, n = 0, end = now() + 4 * seconds, begin;
	struct stat st;

	mkdir("d", 0755);
	while (now() < end) {
		begin = now();
		for (int i = 0; i < FILES; i++) {
			int fd = open(name_of(i), O_WRONLY | O_CREAT, 0644);

			if (write(fd, "some bytes\n", 11) != 11)
				exit(1);
			close(fd);
		}
		t[0] += now() - begin;
		begin = now();
		for (int i = 0; i < FILES; i++)
			stat(name_of(i), &st);
		t[1] += now() - begin;
		begin = now();
		for (int k = 0; k < 4; k++) {
			DIR *d = opendir("d");

			while (readdir(d))
				;
			closedir(d);
		}
		t[2] += (now() - begin) / 4;
		begin = now();
		for (int i = 0; i < FILES; i++)
			unlink(name_of(i));
		t[3] += now() - begin;
		n += FILES;
	}
	rmdir("d");
	printf("p9bench create/s %.1f\np9bench stat/s %.1f\np9bench readdir-entries/s %.1f\np9bench unlink/s %.1f\n", n / t[0],
	       n / t[1], n / t[2], n / t[3]);
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) : 2;

	if (argc < 2 || chdir(argv[1]) < 0)
		return 2;
	sequential(seconds);
	small(seconds);
	return 0;
}
