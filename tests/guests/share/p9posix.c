/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * p9posix FOLDER [MODEL]: what POSIX says of each call that changes a file system: which error for what mistake, what it leaves, whose
 * rights count (XSH, System Interfaces; Linux where that differs). Output as p9check. As root; users of their own are tried by a child.
 * MODEL none: owners can't be changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USER	4321

static int done, failed;

static void check(int ok, const char *what)
{
	done++;
	if (!ok) {
		failed++;
		printf("p9posix: %s: errno %d (%s)\n", what, errno, strerror(errno));
	}
	errno = 0;
}

#define HOLDS(cond)		check(!!(cond), #cond)
#define FAILS(call, error)	check((call) < 0 && errno == (error), #call " fails with " #error)

static int mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static int kind_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? -1 : (int)(st.st_mode & S_IFMT);
}

static int links_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? -1 : (int)st.st_nlink;
}

static int file(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, mode);

	return fd < 0 ? -1 : close(fd);
}

/* Those that every call with a path has. */
static void paths(void)
{
	char name[NAME_MAX + 2], deep[PATH_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(deep, '/', sizeof(deep));
	for (size_t i = 1; i < sizeof(deep); i += 2)
		deep[i] = 'p';
	deep[sizeof(deep) - 1] = '\0';
	HOLDS(file("f", 0644) == 0);
	HOLDS(symlink("loop", "loop") == 0);
	FAILS(open("f/x", O_RDONLY), ENOTDIR);
	FAILS(mkdir("f/x", 0755), ENOTDIR);
	FAILS(rmdir("f/x"), ENOTDIR);
	FAILS(unlink("f/x"), ENOTDIR);
	FAILS(symlink("a", "f/x"), ENOTDIR);
	FAILS(link("f", "f/x"), ENOTDIR);
	FAILS(rename("f", "f/x"), ENOTDIR);
	FAILS(truncate("f/x", 0), ENOTDIR);
	FAILS(chmod("f/x", 0600), ENOTDIR);
	FAILS(open("none/x", O_RDONLY), ENOENT);
	FAILS(mkdir("none/x", 0755), ENOENT);
	FAILS(unlink("none"), ENOENT);
	FAILS(rmdir("none"), ENOENT);
	FAILS(rename("none", "x"), ENOENT);
	FAILS(link("none", "x"), ENOENT);
	FAILS(chmod("none", 0600), ENOENT);
	FAILS(truncate("none", 0), ENOENT);
	FAILS(mkfifo("none/x", 0600), ENOENT);
	FAILS(open("loop", O_RDONLY), ELOOP);
	FAILS(chmod("loop", 0600), ELOOP);
	FAILS(truncate("loop", 0), ELOOP);
	FAILS(mkdir("loop/x", 0755), ELOOP);
	FAILS(mkdir(name, 0755), ENAMETOOLONG);
	FAILS(unlink(name), ENAMETOOLONG);
	FAILS(rename("f", name), ENAMETOOLONG);
	FAILS(link("f", name), ENAMETOOLONG);
	FAILS(symlink("f", name), ENAMETOOLONG);
	FAILS(mkfifo(name, 0600), ENAMETOOLONG);
	FAILS(open(deep, O_RDONLY), ENAMETOOLONG);
	HOLDS(unlink("f") == 0 && unlink("loop") == 0);
}

static void opening(void)
{
	char byte;
	int fd;

	HOLDS(file("f", 0640) == 0 && mode_of("f") == 0640);
	HOLDS(mkdir("d", 0755) == 0);
	HOLDS(symlink("f", "to-f") == 0 && symlink("none", "to-none") == 0);
	FAILS(open("f", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	FAILS(open("to-none", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	FAILS(open("d", O_WRONLY), EISDIR);
	FAILS(open("d", O_CREAT | O_RDWR, 0600), EISDIR);
	FAILS(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open("to-f", O_RDONLY | O_NOFOLLOW), ELOOP);
	HOLDS((fd = open("to-none", O_CREAT | O_WRONLY, 0600)) >= 0 && close(fd) == 0 && kind_of("none") == S_IFREG);
	HOLDS((fd = open("f", O_WRONLY)) >= 0 && write(fd, "abcdef", 6) == 6 && close(fd) == 0);
	HOLDS((fd = open("f", O_RDONLY)) >= 0);
	FAILS(write(fd, "x", 1), EBADF);
	HOLDS(close(fd) == 0);
	HOLDS((fd = open("f", O_WRONLY)) >= 0);
	FAILS(read(fd, &byte, 1), EBADF);
	HOLDS(close(fd) == 0);
	HOLDS((fd = open("d", O_RDONLY)) >= 0);
	FAILS(read(fd, &byte, 1), EISDIR);
	HOLDS(close(fd) == 0);
	HOLDS((fd = open("f", O_RDWR | O_TRUNC)) >= 0 && read(fd, &byte, 1) == 0 && close(fd) == 0);
	HOLDS(mkfifo("p", 0600) == 0 && kind_of("p") == S_IFIFO);
	FAILS(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	HOLDS(unlink("f") == 0 && unlink("none") == 0 && unlink("to-f") == 0 && unlink("to-none") == 0 && unlink("p") == 0 && rmdir("d") == 0);
}

static void folders(void)
{
	HOLDS(mkdir("d", 0755) == 0 && kind_of("d") == S_IFDIR);
	HOLDS(file("f", 0644) == 0 && symlink("none", "l") == 0);
	FAILS(mkdir("d", 0755), EEXIST);
	FAILS(mkdir("f", 0755), EEXIST);
	FAILS(mkdir("l", 0755), EEXIST);
	FAILS(mkfifo("d", 0600), EEXIST);
	FAILS(symlink("x", "f"), EEXIST);
	FAILS(rmdir("f"), ENOTDIR);
	FAILS(rmdir("l"), ENOTDIR);
	FAILS(rmdir("d/."), EINVAL);
	HOLDS(mkdir("d/e", 0700) == 0);
	FAILS(rmdir("d"), ENOTEMPTY);
	FAILS(rmdir("d/e/.."), ENOTEMPTY);
	FAILS(unlink("d"), EISDIR);
	umask(027);
	HOLDS(mkdir("m", 0777) == 0 && mode_of("m") == 0750);
	HOLDS(file("n", 0666) == 0 && mode_of("n") == 0640);
	umask(0);
	HOLDS(rmdir("d/e") == 0 && rmdir("d") == 0 && rmdir("m") == 0 && unlink("n") == 0 && unlink("f") == 0 && unlink("l") == 0);
	FAILS(rmdir("d"), ENOENT);
}

static void linking(void)
{
	HOLDS(file("f", 0644) == 0 && mkdir("d", 0755) == 0 && file("g", 0644) == 0);
	HOLDS(link("f", "h") == 0 && links_of("f") == 2 && links_of("h") == 2);
	FAILS(link("f", "h"), EEXIST);
	FAILS(link("f", "d"), EEXIST);
	FAILS(link("d", "x"), EPERM);
	HOLDS(chmod("h", 0600) == 0 && mode_of("f") == 0600);
	HOLDS(unlink("f") == 0 && links_of("h") == 1);
	HOLDS(link("h", "d/h") == 0 && links_of("h") == 2);
	/* Two names of one file: nothing happens (XSH, rename). */
	HOLDS(rename("h", "d/h") == 0 && links_of("h") == 2);
	HOLDS(unlink("h") == 0 && unlink("d/h") == 0 && unlink("g") == 0 && rmdir("d") == 0);
}

static void renaming(void)
{
	HOLDS(file("f", 0644) == 0 && file("g", 0600) == 0 && mkdir("d", 0755) == 0 && mkdir("e", 0700) == 0);
	FAILS(rename("f", "d"), EISDIR);
	FAILS(rename("d", "f"), ENOTDIR);
	FAILS(rename("d", "d/x"), EINVAL);
	HOLDS(mkdir("d/sub", 0755) == 0);
	FAILS(rename("d", "d/sub/x"), EINVAL);
	FAILS(rename("e", "d"), ENOTEMPTY);
	HOLDS(rename("d", "e") == 0 && kind_of("d") == -1 && kind_of("e/sub") == S_IFDIR);
	HOLDS(rename("f", "g") == 0 && kind_of("f") == -1 && mode_of("g") == 0644);
	HOLDS(rename("g", "g") == 0 && kind_of("g") == S_IFREG);
	HOLDS(rename("g", "e/sub/g") == 0 && kind_of("e/sub/g") == S_IFREG);
	HOLDS(symlink("none", "l") == 0 && rename("l", "k") == 0 && kind_of("k") == S_IFLNK);
	HOLDS(mkfifo("p", 0600) == 0 && rename("p", "k") == 0 && kind_of("k") == S_IFIFO);
	HOLDS(unlink("e/sub/g") == 0 && rmdir("e/sub") == 0 && rmdir("e") == 0 && unlink("k") == 0);
}

static void sizes_and_times(void)
{
	struct timespec both[2] = { { 55, 0 }, { 66, 0 } }, omit[2] = { { 77, UTIME_OMIT }, { 88, 0 } }, now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct stat a, b;
	char buf[8];
	int fd;

	HOLDS((fd = open("f", O_CREAT | O_RDWR, 0644)) >= 0 && write(fd, "abcdef", 6) == 6);
	HOLDS(ftruncate(fd, 3) == 0 && fstat(fd, &a) == 0 && a.st_size == 3);
	HOLDS(ftruncate(fd, 8) == 0 && pread(fd, buf, 8, 0) == 8 && !memcmp(buf, "abc\0\0\0\0\0", 8));
	HOLDS(pwrite(fd, "z", 1, 100) == 1 && fstat(fd, &a) == 0 && a.st_size == 101);
	HOLDS(pread(fd, buf, 8, 101) == 0);
	FAILS(ftruncate(fd, -1), EINVAL);
	HOLDS(close(fd) == 0 && mkdir("d", 0755) == 0);
	FAILS(truncate("d", 0), EISDIR);
	FAILS(truncate("f", -1), EINVAL);
	HOLDS(utimensat(AT_FDCWD, "f", both, 0) == 0 && utimensat(AT_FDCWD, "f", omit, 0) == 0 && stat("f", &b) == 0);
	HOLDS(b.st_mtim.tv_sec == 88 && b.st_atim.tv_sec == 55);
	HOLDS(utimensat(AT_FDCWD, "f", now, 0) == 0 && stat("f", &b) == 0 && b.st_mtim.tv_sec > 1000000);
	HOLDS(utimensat(AT_FDCWD, "d", omit, 0) == 0 && file("d/x", 0600) == 0 && stat("d", &b) == 0 && b.st_mtim.tv_sec > 88);
	HOLDS(unlink("d/x") == 0 && rmdir("d") == 0 && unlink("f") == 0);
}

/* As a user who owns "own" and nothing else. */
static void as_user(void)
{
	FAILS(open("private/f", O_RDONLY), EACCES);
	FAILS(open("secret", O_RDONLY), EACCES);
	FAILS(open("readable", O_WRONLY), EACCES);
	HOLDS(close(open("readable", O_RDONLY)) == 0);
	FAILS(file("closed/x", 0644), EACCES);
	FAILS(mkdir("closed/x", 0755), EACCES);
	FAILS(unlink("closed/f"), EACCES);
	FAILS(rename("closed/f", "closed/g"), EACCES);
	FAILS(link("own", "closed/x"), EACCES);
	FAILS(chmod("readable", 0666), EPERM);
	FAILS(chown("own", 0, -1), EPERM);
	FAILS(chown("readable", USER, -1), EPERM);
	FAILS(truncate("readable", 0), EACCES);
	FAILS(unlink("sticky/f"), EPERM);
	FAILS(rename("sticky/f", "sticky/g"), EPERM);
	HOLDS(chmod("own", 0640) == 0 && mode_of("own") == 0640);
	HOLDS(file("sticky/mine", 0600) == 0 && unlink("sticky/mine") == 0);
}

static void rights(void)
{
	struct stat st;
	int status = -1;
	pid_t pid;

	HOLDS(mkdir("private", 0700) == 0 && file("private/f", 0644) == 0 && file("secret", 0600) == 0 && file("readable", 0644) == 0);
	HOLDS(mkdir("closed", 0755) == 0 && file("closed/f", 0666) == 0 && mkdir("sticky", 0777) == 0 && chmod("sticky", 01777) == 0 &&
	      file("sticky/f", 0644) == 0 && file("own", 0644) == 0);
	HOLDS(chown("own", USER, USER) == 0 && stat("own", &st) == 0 && st.st_uid == USER && st.st_gid == USER);
	HOLDS(mknod("dev", S_IFBLK | 0600, makedev(7, 9)) == 0 && stat("dev", &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(7, 9));
	HOLDS(symlink("own", "l") == 0 && lchown("l", USER, USER) == 0 && lstat("l", &st) == 0 && st.st_uid == USER);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		done = failed = 0;
		if (setgid(USER) == 0 && setuid(USER) == 0)
			as_user();
		else
			failed = 1;
		fflush(stdout);
		_exit(failed != 0);
	}
	HOLDS(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	/* setgid is inherited by what is made below (Linux, BSD). */
	HOLDS(mkdir("g", 0777) == 0 && chown("g", 0, USER) == 0 && chmod("g", 02777) == 0 && mkdir("g/d", 0755) == 0 && stat("g/d", &st) == 0 &&
	      st.st_gid == USER && (st.st_mode & S_ISGID));
	HOLDS(rmdir("g/d") == 0 && rmdir("g") == 0 && unlink("l") == 0 && unlink("dev") == 0 && unlink("own") == 0 &&
	      unlink("sticky/f") == 0 && rmdir("sticky") == 0 && unlink("closed/f") == 0 && rmdir("closed") == 0 &&
	      unlink("readable") == 0 && unlink("secret") == 0 && unlink("private/f") == 0 && rmdir("private") == 0);
}

int main(int argc, char **argv)
{
	const char *model = argc > 2 ? argv[2] : "mapped-xattr";

	if (argc < 2 || chdir(argv[1]) < 0 || mkdir("posix", 0777) < 0 || chmod("posix", 0777) < 0 || chdir("posix") < 0) {
		perror("p9posix");
		return 2;
	}
	umask(0);
	paths();
	opening();
	folders();
	linking();
	renaming();
	sizes_and_times();
	if (strcmp(model, "none"))
		rights();
	printf("p9posix: %d checks, %d failed\n", done, failed);
	return failed != 0 || chdir("..") < 0 || rmdir("posix") < 0;
}
