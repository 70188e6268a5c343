/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * p9check FOLDER [MODEL [ENTRIES]]: what programs expect of a file system, tried in a mounted share. Each line that it prints is a check
 * that failed; the last line counts. Status 0 if all held.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int done, failed;
static int dotu;	/* 9P2000.u: no rename to another folder, statfs, or locks */

static void check(int ok, const char *what)
{
	done++;
	if (!ok) {
		failed++;
		printf("p9check: %s: errno %d (%s)\n", what, errno, strerror(errno));
	}
	errno = 0;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
	close(fd);
}

static int same(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(name, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf) - 1) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) && !memcmp(buf, text, n);
}

static void files(void)
{
	struct stat st;
	char big[70000];
	int fd;

	put("a", "hello");
	check(same("a", "hello"), "read back");
	check(stat("a", &st) == 0 && st.st_size == 5 && S_ISREG(st.st_mode), "stat");
	check(open("a", O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 && errno == EEXIST, "O_EXCL");
	check(open("none", O_RDONLY) < 0 && errno == ENOENT, "no such file");
	fd = open("a", O_WRONLY | O_APPEND);
	check(fd >= 0 && write(fd, " you", 4) == 4 && close(fd) == 0 && same("a", "hello you"), "append");
	check(truncate("a", 4) == 0 && same("a", "hell"), "truncate");
	/* over 4 GiB, with a hole */
	fd = open("sparse", O_RDWR | O_CREAT, 0600);
	check(fd >= 0 && pwrite(fd, "end", 3, 5LL << 30) == 3, "write behind 4 GiB");
	check(fstat(fd, &st) == 0 && st.st_size == (5LL << 30) + 3, "its size");
	check(pread(fd, big, 3, 5LL << 30) == 3 && !memcmp(big, "end", 3), "read behind 4 GiB");
	close(fd);
	check(unlink("sparse") == 0, "unlink");
	/* in pieces that no message holds */
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	fd = open("big", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 30; i++)
		check(write(fd, big, sizeof(big)) == sizeof(big), "large write");
	check(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	for (int i = 0; i < 30; i++) {
		char got[sizeof(big)];
		size_t n = 0;
		ssize_t k;

		while (n < sizeof(got) && (k = read(fd, got + n, sizeof(got) - n)) > 0)
			n += k;
		check(n == sizeof(got) && !memcmp(got, big, n), "large read");
	}
	check(fsync(fd) == 0 && fdatasync(fd) == 0, "fsync");
	close(fd);
}

static void names(void)
{
	struct stat a, b;
	char target[64] = "";
	int fd;

	put("x", "1");
	put("y", "2");
	check(rename("x", "y") == 0 && same("y", "1") && access("x", F_OK) < 0, "rename over");
	check(link("y", "z") == 0 && stat("y", &a) == 0 && stat("z", &b) == 0 && a.st_ino == b.st_ino &&
	      b.st_nlink == 2, "hard link");
	check(unlink("y") == 0 && same("z", "1"), "the other name stays");
	check(symlink("z", "l") == 0 && same("l", "1"), "symbolic link");
	check(readlink("l", target, sizeof(target) - 1) == 1 && target[0] == 'z', "readlink");
	check(lstat("l", &a) == 0 && S_ISLNK(a.st_mode), "lstat");
	check(symlink("/nowhere/at/all", "dangling") == 0 && open("dangling", O_RDONLY) < 0 && errno == ENOENT,
	      "dangling link");
	check(mkdir("d", 0755) == 0 && mkdir("d", 0755) < 0 && errno == EEXIST, "mkdir");
	put("d/f", "in d");
	check(rmdir("d") < 0 && errno == ENOTEMPTY, "not empty");
	fd = open("d/f", O_RDONLY);
	check(rename("d", "e") == 0 && same("e/f", "in d"), "rename a folder");
	check(read(fd, target, 4) == 4, "what was open before is still");
	close(fd);
	put("e/g", "new");
	if (dotu)
		check(mkdir("e/sub", 0700) == 0 && rename("e/g", "e/h") == 0 && rename("e/h", "e/sub/h") < 0 &&
		      errno == EXDEV && link("e/h", "e/sub/h") == 0 && unlink("e/h") == 0, "not across");
	else
		check(mkdir("e/sub", 0700) == 0 && rename("e/g", "e/sub/h") == 0 && same("e/sub/h", "new"),
		      "rename across");
	/* unlinked, but open */
	fd = open("e/f", O_RDWR);
	check(unlink("e/f") == 0 && pwrite(fd, "IN", 2, 0) == 2 && pread(fd, target, 4, 0) == 4 &&
	      !memcmp(target, "IN d", 4), "unlinked, but open");
	check(fstat(fd, &a) == 0 && a.st_size == 4, "its stat");
	close(fd);
	check(unlink("e/sub/h") == 0 && rmdir("e/sub") == 0 && rmdir("e") == 0, "rmdir");
	/* a name that is no UTF-8, and a long one */
	put("\xff\xfe\x80", "bytes");
	check(same("\xff\xfe\x80", "bytes") && unlink("\xff\xfe\x80") == 0, "not UTF-8");
	{
		char longest[257];

		memset(longest, 'n', 255);
		longest[255] = 0;
		put(longest, "long");
		check(unlink(longest) == 0, "255 characters");
		memset(longest, 'n', 256);
		longest[256] = 0;
		check(open(longest, O_WRONLY | O_CREAT, 0600) < 0 && errno == ENAMETOOLONG, "256 characters");
	}
}

static void folders(int n)
{
	char name[32], seen[20000] = "";
	struct dirent *e;
	int count = 0;
	DIR *d;

	check(mkdir("many", 0755) == 0, "mkdir");
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		close(open(name, O_WRONLY | O_CREAT, 0600));
	}
	d = opendir("many");
	while (d && (e = readdir(d))) {
		int i = atoi(e->d_name);

		if (e->d_name[0] != '.' && i < n && !seen[i]++)
			count++;
	}
	check(count == n, "all entries once");
	rewinddir(d);
	check(readdir(d) != NULL, "rewinddir");
	closedir(d);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		unlink(name);
	}
	check(rmdir("many") == 0, "all gone");
}

static void attributes(const char *model)
{
	int owners = strcmp(model, "none") != 0, special = strcmp(model, "none") != 0;
	struct timespec t[2] = { { 1000, 5 }, { 2000, 7 } };
	char buf[100];
	struct stat st;
	struct statfs fs;

	put("m", "x");
	check(chmod("m", 04751) == 0 && stat("m", &st) == 0 && (st.st_mode & 07777) == 04751, "chmod");
	if (owners) {
		check(chown("m", 1234, 567) == 0 && stat("m", &st) == 0 && st.st_uid == 1234 && st.st_gid == 567, "chown");
	}
	check(utimensat(AT_FDCWD, "m", t, 0) == 0 && stat("m", &st) == 0 && st.st_atime == 1000 && st.st_mtime == 2000,
	      "times");
	check(mkdir("md", 01770) == 0 && chmod("md", 01770) == 0 && stat("md", &st) == 0 && (st.st_mode & 07777) == 01770,
	      "mode of a folder");
	check(mkfifo("fifo", 0640) == 0 && lstat("fifo", &st) == 0 && S_ISFIFO(st.st_mode), "a pipe");
	if (special) {
		check(mknod("dev", S_IFCHR | 0600, makedev(1, 3)) == 0 && lstat("dev", &st) == 0 && S_ISCHR(st.st_mode) &&
		      st.st_rdev == makedev(1, 3), "a device");
	}
	if (setxattr("m", "user.color", "green", 5, 0) == 0) {
		check(getxattr("m", "user.color", buf, sizeof(buf)) == 5 && !memcmp(buf, "green", 5), "xattr");
		check(setxattr("m", "user.color", "x", 1, XATTR_CREATE) < 0 && errno == EEXIST, "XATTR_CREATE");
		check(listxattr("m", buf, sizeof(buf)) == 11 && !strcmp(buf, "user.color"), "only that one is told");
		check(removexattr("m", "user.color") == 0 && getxattr("m", "user.color", buf, 10) < 0, "removed");
		if (!strncmp(model, "mapped", 6)) {
			check(getxattr("m", "user.virtfs.uid", buf, 10) < 0, "what we keep there is hidden");
			check(setxattr("m", "user.virtfs.uid", "0000", 4, 0) < 0, "and can't be set");
		}
	} else {
		check(errno == EOPNOTSUPP, "no xattrs on the host");
	}
	check(statfs(".", &fs) == 0 && (dotu || fs.f_blocks > 0), "statfs");
}

static void locks_and_maps(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int fd = open("lock", O_RDWR | O_CREAT, 0600), status = -1;
	char *p;

	check(ftruncate(fd, 8192) == 0, "ftruncate");
	check(fcntl(fd, F_SETLK, &l) == 0, "a lock");
	if (dotu)
		status = 0;
	else if (fork() == 0) {
		struct flock k = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
		int other = open("lock", O_RDWR);

		_exit(fcntl(other, F_SETLK, &k) < 0 && (errno == EAGAIN || errno == EACCES) ? 0 : 1);
	}
	check((dotu || wait(&status) > 0) && status == 0, "held against another process");
	l.l_type = F_UNLCK;
	check(fcntl(fd, F_SETLK, &l) == 0, "given back");
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);
		check(p != MAP_FAILED, "mmap");
	} else {
		strcpy(p + 4096, "mapped");
		check(msync(p, 8192, MS_SYNC) == 0, "msync");
	}
	munmap(p, 8192);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *model = argc > 2 ? argv[2] : "mapped-xattr";

	if (argc < 2 || chdir(argv[1]) < 0 || mkdir("work", 0777) < 0 || chdir("work") < 0) {
		perror("p9check");
		return 2;
	}
	umask(0);
	dotu = argc > 2 && !strcmp(argv[2], "dotu");
	files();
	names();
	folders(argc > 3 ? atoi(argv[3]) : 600);
	attributes(model);
	locks_and_maps();
	printf("p9check: %d checks, %d failed\n", done, failed);
	return failed != 0;
}
