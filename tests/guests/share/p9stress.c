/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * p9stress FOLDER PROCESSES OPERATIONS [SEED]: random operations on a file system by several processes. Each has a folder of its own and knows
 * what has to be in it; besides they all work in one folder, where anything may be there or not, but no call may hang or say what it never
 * says. Output: a line for each thing that isn't as it should be, then the count. Status 0 when there is none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES	24
#define ROOM	40000

static uint32_t seed, done, failed;
static struct Slot {
	enum { NONE, FILE_, FOLDER, LINK } kind;
	unsigned char *data;		/* a file's content */
	size_t size;
	char target[16];
} slots[NAMES];

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 4) * n >> 28);
}

static void must(int ok, const char *what, int slot)
{
	done++;
	if (!ok) {
		failed++;
		printf("p9stress: %s, name %d: errno %d (%s)\n", what, slot, errno, strerror(errno));
		fflush(stdout);
	}
	errno = 0;
}

static void name_of(int i, char *name)
{
	sprintf(name, "name%d%s", i, i % 3 == 0 ? "-\xe4\xff" : "");
}

static void forget(int i)
{
	free(slots[i].data);
	memset(&slots[i], 0, sizeof(slots[i]));
}

static void compare(int i)
{
	static unsigned char got[ROOM * 2];
	struct stat st;
	char name[32];
	ssize_t n;
	int fd;

	name_of(i, name);
	switch (slots[i].kind) {
	case NONE:
		must(lstat(name, &st) < 0 && errno == ENOENT, "isn't there", i);
		break;
	case FOLDER:
		must(lstat(name, &st) == 0 && S_ISDIR(st.st_mode), "is a folder", i);
		break;
	case LINK:
		n = readlink(name, (char *)got, sizeof(got));
		must(n == (ssize_t)strlen(slots[i].target) && !memcmp(got, slots[i].target, n), "is a link", i);
		break;
	case FILE_:
		fd = open(name, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, got, sizeof(got));
		must(fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size == slots[i].size, "has its size", i);
		must(n == (ssize_t)slots[i].size && !memcmp(got, slots[i].data, n), "has its content", i);
		close(fd);
		break;
	}
}

static void make(int i)
{
	char name[32];
	int fd;

	name_of(i, name);
	if (slots[i].kind != NONE) {
		must(mkdir(name, 0755) < 0 && errno == EEXIST, "mkdir over it", i);
		return;
	}
	switch (rnd(5)) {
	case 0:
		must(mkdir(name, 0755) == 0, "mkdir", i);
		slots[i].kind = FOLDER;
		break;
	case 1:
		sprintf(slots[i].target, "t%u", rnd(1000));
		must(symlink(slots[i].target, name) == 0, "symlink", i);
		slots[i].kind = LINK;
		break;
	default:
		fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);
		must(fd >= 0 && close(fd) == 0, "create", i);
		slots[i].kind = FILE_;
		slots[i].data = calloc(1, ROOM);
		break;
	}
}

static void change(int i)
{
	struct Slot *s = &slots[i];
	size_t at = rnd(ROOM / 2), len = 1 + rnd(rnd(4) ? 200 : ROOM / 2);
	char name[32];
	void *map;
	int fd;

	name_of(i, name);
	if (s->kind != FILE_)
		return;
	fd = open(name, O_RDWR);
	must(fd >= 0, "open", i);
	switch (rnd(4)) {
	case 0:
		must(ftruncate(fd, (off_t)at) == 0, "ftruncate", i);
		if (at < s->size)
			memset(s->data + at, 0, s->size - at);
		s->size = at;
		break;
	case 1:
		/* cache=none knows no shared maps */
		map = s->size ? mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
		if (map != MAP_FAILED) {
			at %= s->size;
			((unsigned char *)map)[at] = s->data[at] = (unsigned char)rnd(256);
			must(msync(map, s->size, MS_SYNC) == 0 && munmap(map, s->size) == 0, "msync", i);
		}
		break;
	default:
		for (size_t k = 0; k < len; k++)
			s->data[at + k] = (unsigned char)rnd(256);
		must(pwrite(fd, s->data + at, len, (off_t)at) == (ssize_t)len, "pwrite", i);
		s->size = at + len > s->size ? at + len : s->size;
		break;
	}
	must(close(fd) == 0, "close", i);
}

static void move(int i)
{
	int to = (int)rnd(NAMES);
	char name[32], new_name[32];

	name_of(i, name);
	name_of(to, new_name);
	if (slots[i].kind == NONE || to == i)
		return;
	if (slots[to].kind != NONE && (slots[to].kind == FOLDER) != (slots[i].kind == FOLDER)) {
		must(rename(name, new_name) < 0 && (errno == EISDIR || errno == ENOTDIR), "rename over another kind", i);
		return;
	}
	must(rename(name, new_name) == 0, "rename", i);
	forget(to);
	slots[to] = slots[i];
	memset(&slots[i], 0, sizeof(slots[i]));
}

static void drop(int i)
{
	char name[32];

	name_of(i, name);
	if (slots[i].kind == FOLDER)
		must(rmdir(name) == 0, "rmdir", i);
	else if (slots[i].kind != NONE)
		must(unlink(name) == 0, "unlink", i);
	forget(i);
}

static void list(void)
{
	int here = 0, known = 0;
	struct dirent *e;
	DIR *d = opendir(".");

	while (d && (e = readdir(d)))
		here += e->d_name[0] != '.';
	for (int i = 0; i < NAMES; i++)
		known += slots[i].kind != NONE;
	must(d && here == known, "all entries are listed", here);
	closedir(d);
}

/* In the folder of all, where the others are at work. */
static void among_others(void)
{
	static const int expected[] = { 0, ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL, ELOOP, EBUSY, ESTALE };
	char a[32], b[32], buf[100];
	unsigned i;
	int n = 0, fd;

	sprintf(a, "../all/%u", rnd(6));
	sprintf(b, "../all/%u", rnd(6));
	errno = 0;
	switch (rnd(8)) {
	case 0: n = mkdir(a, 0755); break;
	case 1: n = rename(a, b); break;
	case 2: n = unlink(a); break;
	case 3: n = rmdir(a); break;
	case 4: n = link(a, b); break;
	case 5: n = symlink("x", a); break;
	default:
		n = fd = open(a, O_CREAT | O_RDWR, 0644);
		if (fd >= 0) {
			n = (int)write(fd, a, sizeof(a)) | (int)pread(fd, buf, sizeof(buf), 0);
			close(fd);
		}
		break;
	}
	for (i = 0; n < 0 && i < sizeof(expected) / sizeof(expected[0]) && errno != expected[i]; i++) {
	}
	/* a folder can't be linked */
	must(n >= 0 || i < sizeof(expected) / sizeof(expected[0]) || errno == EPERM, "an error that it never has", 0);
}

static int run(unsigned number, unsigned operations)
{
	char folder[32];

	sprintf(folder, "own%u", number);
	must(mkdir(folder, 0755) == 0 && chdir(folder) == 0, "a folder of its own", 0);
	for (unsigned k = 0; k < operations; k++) {
		int i = (int)rnd(NAMES);

		switch (rnd(10)) {
		case 0: case 1: case 2: make(i); break;
		case 3: case 4: case 5: change(i); break;
		case 6: move(i); break;
		case 7: drop(i); break;
		default: among_others(); break;
		}
		compare((int)rnd(NAMES));
		if (k % 50 == 0)
			list();
	}
	for (int i = 0; i < NAMES; i++) {
		compare(i);
		drop(i);
	}
	list();
	must(chdir("..") == 0 && rmdir(folder) == 0, "nothing is left", 0);
	printf("p9stress: %u checks, %u failed\n", done, failed);
	fflush(stdout);
	return failed != 0;
}

int main(int argc, char **argv)
{
	unsigned processes = argc > 3 ? (unsigned)atoi(argv[2]) : 0, operations = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	int status, bad = 0;

	if (argc < 4 || chdir(argv[1]) < 0 || mkdir("all", 0777) < 0) {
		perror("p9stress FOLDER PROCESSES OPERATIONS [SEED]");
		return 2;
	}
	seed = argc > 4 ? (uint32_t)atoi(argv[4]) : 1;
	for (unsigned i = 0; i < processes; i++) {
		if (fork() == 0) {
			seed += i * 7919;
			_exit(run(i, operations));
		}
	}
	while (wait(&status) > 0)
		bad |= status != 0;
	return bad;
}
