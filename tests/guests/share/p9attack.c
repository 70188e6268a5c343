/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On the host, p9attack race SHARE OUTSIDE: turns the folder "e" of SHARE into a link to OUTSIDE and back, until it is killed.
 * In the guest, p9attack OUTSIDE: as root of a guest, tries to get at the host's folder OUTSIDE (its path there) by the share's device, which has "hello",
 * "d/file", links, a pipe, and "e". What is in OUTSIDE is secret: an answer that has it is a
 * failure; whether it was touched is for the host to say.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/guests/share/p9raw.h"

#define SECRET	"S3CRET-OF-THE-HOST"

static const char *outside;
static int checks, failed;

static void check(int ok, const char *what)
{
	checks++;
	if (!ok) {
		failed++;
		printf("p9attack: FAILED: %s\n", what);
	}
}

static void look_for_the_secret(int slot)
{
	check(!memmem(answer_of(slot), PAGE, SECRET, strlen(SECRET)), "the secret is in an answer");
}

/* Whether the fid can be opened in some way, and is what must not be read. */
static void try_to_read(unsigned fid)
{
	/* Plain, O_PATH, O_NOFOLLOW, O_DIRECTORY, O_TMPFILE, O_RDWR with O_TRUNC, all. */
	static const unsigned flags[] = { 0, 010000000, 0400000, 0200000, 020200002, 01002, 037777777 };

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (call(TWALK, "wwh", fid, 900u, 0u) != 0)
			return;
		if (call(TLOPEN, "ww", 900u, flags[i]) == 0) {
			call(TREAD, "wqw", 900u, (uint64_t)0, 4000u);
			look_for_the_secret(0);
			call(TREADDIR, "wqw", 900u, (uint64_t)0, 4000u);
			look_for_the_secret(0);
			call(TWRITE, "wqwD", 900u, (uint64_t)0, 8u, (size_t)8, "attacked");
		}
		call(TCLUNK, "w", 900u);
	}
}

/* How far a walk comes. */
static unsigned walked(unsigned fid, unsigned new, unsigned n, const char *const *names)
{
	uint8_t raw[3000], *at = raw;

	for (unsigned i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		memcpy(at, &len, 2);
		memcpy(at + 2, names[i], len);
		at += 2 + len;
	}
	if (call(TWALK, "wwhD", fid, new, n, (size_t)(at - raw), raw) != 0)
		return 0;
	return answer_of(0)[7];
}

static void start(void)
{
	check(call(TVERSION, "ws", 4096u, "9P2000.L") == 0 && call(TATTACH, "wwssw", 0u, NOFID, "root", "", 0u) == 0, "attached");
}

/* --- what isn't a session --- */

static void sessions(void)
{
	static const char *const trees[] = { "..", "../outside", "/", "/etc", "hello", "" };
	uint64_t root;

	start();
	memcpy(&root, answer_of(0) + 12, 8);
	for (unsigned i = 0; i < 6; i++) {
		check(call(TATTACH, "wwssw", 10 + i, NOFID, "root", trees[i], 0u) != 0 || !memcmp(&root, answer_of(0) + 12, 8),
		      "another tree was attached");
	}
	check(call(TATTACH, "wwssw", 20u, NOFID, "root", outside, 0u) != 0 || !memcmp(&root, answer_of(0) + 12, 8), "the host's folder was attached");
	call(TVERSION, "ws", 0u, "9P2000.L");
	call(TVERSION, "ws", NOFID, "9P2000.L");
	call(TVERSION, "ws", 7u, "9P2000.u");
	check(call(TWALK, "wwh", 10u, 11u, 0u) != 0, "a fid outlived its session");
}

/* --- names --- */

static void names(void)
{
	char to[400], up[400];
	const char *const bad[] = { "", ".", "..", "../outside", "d/../../outside", "/", "/etc/passwd", "d/", outside, to, up,
		"/proc/self/root", "/proc/self/cwd", "/dev/fd/3", "\n/", "..\\outside" };

	snprintf(to, sizeof(to), "%.300s/secret", outside);
	snprintf(up, sizeof(up), "../../../../../../../../..%.300s/secret", outside);
	start();
	check(call(TWALK, "wwhs", 0u, 1u, 1u, "d") == 0 && call(TWALK, "wwhss", 0u, 2u, 2u, "d", "file") == 0, "d");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]) - 1; i++) {
		const char *n = bad[i];

		check(call(TWALK, "wwh", 1u, 3u, 0u) == 0 && call(TLCREATE, "wswww", 3u, n, 01102u, 0644u, 0u) != 0, n);
		call(TCLUNK, "w", 3u);
		check(call(TMKDIR, "wsww", 1u, n, 0755u, 0u) != 0, n);
		check(call(TMKNOD, "wswwww", 1u, n, 0100644u, 0u, 0u, 0u) != 0, n);
		check(call(TSYMLINK, "wssw", 1u, n, "x", 0u) != 0, n);
		check(call(TLINK, "wws", 1u, 2u, n) != 0, n);
		check(call(TRENAME, "wws", 2u, 1u, n) != 0, n);
		check(call(TRENAMEAT, "wsws", 1u, n, 0u, "stolen") != 0, n);
		check(call(TRENAMEAT, "wsws", 1u, "file", 1u, n) != 0, n);
		check(call(TUNLINKAT, "wsw", 1u, n, 0u) != 0 && call(TUNLINKAT, "wsw", 1u, n, 0x200u) != 0, n);
		if (strcmp(n, ".."))
			check(call(TWALK, "wwhs", 1u, 9u, 1u, n) != 0, n);
	}
}

static void up(void)
{
	const char *const a[] = { "..", "..", "..", "..", "..", "..", "outside", "secret" };
	const char *const b[] = { "d", "..", "..", "outside", "secret" };
	const char *const c[] = { "up", "outside", "secret" };
	const char *const d[] = { "away", "secret" };

	check(walked(0, 5, 8, a) <= 6 && walked(0, 5, 5, b) <= 3, "'..' leads out of the share");
	call(TSYMLINK, "wssw", 0u, "up", "..", 0u);
	check(walked(0, 5, 3, c) <= 1, "'..' in a link leads out");
	call(TSYMLINK, "wssw", 0u, "away", outside, 0u);
	check(walked(0, 5, 2, d) <= 1, "a link leads out");
}

/* --- links --- */

static void links(void)
{
	static const char *const planted[] = { "to-file", "to-folder", "relative", "proc", "mine", "mine-relative" };
	char to[400];

	snprintf(to, sizeof(to), "%.300s/secret", outside);
	call(TSYMLINK, "wssw", 0u, "mine", to, 0u);
	call(TSYMLINK, "wssw", 0u, "mine-relative", "../outside/secret", 0u);
	for (unsigned i = 0; i < 6; i++) {
		const char *n = planted[i];
		const char *const through[] = { n, "secret" };

		check(walked(0, 5, 2, through) <= 1, n);
		if (call(TWALK, "wwhs", 0u, 6u, 1u, n) != 0)
			continue;
		try_to_read(6);
		for (unsigned valid = 1; valid < 512; valid *= 2) {
			call(TSETATTR, "wwwwwqqqqq", 6u, valid, 0777u, 12u, 12u, (uint64_t)0, (uint64_t)1, (uint64_t)1, (uint64_t)1,
			     (uint64_t)1);
		}
		call(TXATTRWALK, "wws", 6u, 7u, "user.secret");
		call(TREAD, "wqw", 7u, (uint64_t)0, 100u);
		look_for_the_secret(0);
		call(TCLUNK, "w", 7u);
		call(TWALK, "wwh", 6u, 7u, 0u);
		call(TXATTRCREATE, "wsqw", 7u, "user.attacked", (uint64_t)1, 0u);
		call(TWRITE, "wqwD", 7u, (uint64_t)0, 1u, (size_t)1, "x");
		call(TCLUNK, "w", 7u);
		/* A name of it, and making something where it leads. */
		call(TLINK, "wws", 0u, 6u, "hard");
		if (call(TWALK, "wwhs", 0u, 8u, 1u, "hard") == 0) {
			try_to_read(8);
			call(TCLUNK, "w", 8u);
		}
		call(TUNLINKAT, "wsw", 0u, "hard", 0u);
		call(TMKDIR, "wsww", 6u, "made", 0777u, 0u);
		call(TSYMLINK, "wssw", 6u, "made", "x", 0u);
		call(TMKNOD, "wswwww", 6u, "made", 0100644u, 0u, 0u, 0u);
		call(TUNLINKAT, "wsw", 6u, "secret", 0u);
		call(TRENAMEAT, "wsws", 6u, "secret", 0u, "stolen");
		call(TRENAMEAT, "wsws", 0u, "hello", 6u, "secret");
		call(TLINK, "wws", 6u, 2u, "made");
		call(TLCREATE, "wswww", 6u, "secret", 01102u, 0777u, 0u);
		call(TCLUNK, "w", 6u);
		call(TWALK, "wwh", 0u, 7u, 0u);
		call(TLCREATE, "wswww", 7u, n, 01102u, 0777u, 0u);
		call(TWRITE, "wqwD", 7u, (uint64_t)0, 1u, (size_t)1, "x");
		call(TCLUNK, "w", 7u);
	}
	check(call(TWALK, "wwhs", 0u, 7u, 1u, "stolen") != 0, "something was stolen");
}

/* --- devices, pipes, sockets --- */

static void devices(void)
{
	/* mem, null, tty of the emulator, the first disks, a pipe, a socket */
	static const struct { unsigned mode, major, minor; } kinds[] = {
		{ 020666, 1, 1 }, { 020666, 1, 3 }, { 020666, 5, 0 }, { 060666, 8, 0 }, { 060666, 254, 0 }, { 060666, 7, 0 },
		{ 010666, 0, 0 }, { 0140666, 0, 0 },
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		call(TUNLINKAT, "wsw", 0u, "node", 0u);
		call(TMKNOD, "wswwww", 0u, "node", kinds[i].mode, kinds[i].major, kinds[i].minor, 0u);
		for (unsigned flags = 0; flags < 3 && call(TWALK, "wwhs", 0u, 6u, 1u, "node") == 0; flags++) {
			/* Those of mapped models are empty files. */
			check(call(TLOPEN, "ww", 6u, flags) != 0 || call(TREAD, "wqw", 6u, (uint64_t)0, 100u) != 0 ||
			      load32(answer_of(0) + 7) == 0, "a device was opened");
			call(TCLUNK, "w", 6u);
		}
		call(TWALK, "wwh", 0u, 6u, 0u);
		check(call(TLCREATE, "wswww", 6u, "node", 02u, 0666u, 0u) != 0 || call(TREAD, "wqw", 6u, (uint64_t)0, 100u) != 0 ||
		      load32(answer_of(0) + 7) == 0, "a device was created and opened");
		call(TCLUNK, "w", 6u);
	}
	call(TUNLINKAT, "wsw", 0u, "node", 0u);
	if (call(TWALK, "wwhs", 0u, 6u, 1u, "pipe") == 0) {
		check(call(TLOPEN, "ww", 6u, 0u) != 0 && call(TLOPEN, "ww", 6u, 1u) != 0, "a pipe of the host was opened");
		call(TCLUNK, "w", 6u);
	}
}

/* --- fids --- */

static void fids(void)
{
	check(call(TWALK, "wwhs", 0u, 6u, 1u, "d") == 0, "d");
	check(call(TWALK, "wwhs", 0u, 6u, 1u, "d") != 0, "a fid was used twice");
	check(call(TWALK, "wwhs", 6u, 6u, 1u, "file") == 0, "onto itself");
	check(call(TLOPEN, "ww", 6u, 2u) == 0 && call(TWALK, "wwh", 6u, 7u, 0u) != 0, "an open fid walked");
	check(call(TWALK, "wwhs", 6u, 6u, 1u, "..") != 0, "an open fid walked onto itself");
	check(call(TREADDIR, "wqw", 6u, (uint64_t)0, 100u) != 0, "a file was listed");
	check(call(TLCREATE, "wswww", 6u, "x", 0u, 0u, 0u) != 0, "an open fid created");
	check(call(TCLUNK, "w", 6u) == 0 && call(TREAD, "wqw", 6u, (uint64_t)0, 10u) != 0 && call(TCLUNK, "w", 6u) != 0, "used after its end");
	check(call(TWALK, "wwh", NOFID, 7u, 0u) != 0 && call(TWALK, "wwh", 0u, NOFID, 0u) != 0, "no fid is none");
	call(TMKDIR, "wsww", 0u, "gone", 0755u, 0u);
	check(call(TWALK, "wwhs", 0u, 6u, 1u, "gone") == 0 && call(TUNLINKAT, "wsw", 0u, "gone", 0x200u) == 0, "removed under its fid");
	check(call(TMKDIR, "wsww", 6u, "x", 0755u, 0u) != 0 && call(TSYMLINK, "wssw", 6u, "x", "y", 0u) != 0, "something in what is removed");
	check(call(TWALK, "wwhs", 6u, 7u, 1u, "..") != 0 || call(TWALK, "wwhs", 7u, 8u, 1u, "outside") != 0, "up from what is removed");
	/* The name means something else now. */
	call(TSYMLINK, "wssw", 0u, "gone", outside, 0u);
	check(call(TWALK, "wwhs", 6u, 9u, 1u, "secret") != 0, "an old fid by a new link");
	call(TLCREATE, "wswww", 6u, "made", 0102u, 0644u, 0u);
	call(TREMOVE, "w", 6u);
	call(TUNLINKAT, "wsw", 0u, "gone", 0u);
	for (unsigned i = 1000; i < 2500; i++) {
		if (call(TWALK, "wwhs", 0u, i, 1u, i % 2 ? "hello" : "d") != 0 || (i % 2 && call(TLOPEN, "ww", i, 0u) != 0))
			break;
	}
	check(call(TWALK, "wwhs", 0u, 6u, 1u, "hello") == 0 && call(TLOPEN, "ww", 6u, 0u) == 0, "many are open, and one more");
	start();
}

/* --- lengths --- */

static void lengths(void)
{
	static const uint64_t offsets[] = { 0, 1, INT64_MAX, UINT64_MAX, 1ull << 63, UINT64_MAX - 8 };
	static const unsigned counts[] = { 0, 1, 4096, 65536, 0x7fffffff, 0xffffffff };
	static const unsigned sizes[] = { 0, 6, 7, 8, 30, 4096, 65536, 0x7fffffff, 0xffffffff };
	unsigned breaks = 0;

	check(call(TWALK, "wwhs", 0u, 6u, 1u, "hello") == 0 && call(TLOPEN, "ww", 6u, 2u) == 0 && call(TWALK, "wwh", 0u, 7u, 0u) == 0 &&
	      call(TLOPEN, "ww", 7u, 0u) == 0, "open");
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned k = 0; k < 6; k++) {
			call(TREAD, "wqw", 6u, offsets[i], counts[k]);
			look_for_the_secret(0);
			call(TREADDIR, "wqw", 7u, offsets[i], counts[k]);
			look_for_the_secret(0);
			check(counts[k] < 2 || call(TWRITE, "wqwD", 6u, offsets[i], counts[k], (size_t)1, "x") != 0, "more written than sent");
			call(TXATTRCREATE, "wsqw", 6u, "user.x", offsets[i], counts[k]);
			call(TLOCK, "wbwqqws", 6u, 1u, 0u, offsets[i], offsets[k], 1u, "x");
			call(TGETLOCK, "wbqqws", 6u, 1u, offsets[i], offsets[k], 1u, "x");
		}
	}
	/* A size that isn't the message's, names that go on beyond it, more names than there are, too little room. */
	for (unsigned type = 0; type < 256; type += type < 8 || type > 130 ? 9 : 1) {
		for (unsigned i = 0; i < 9; i++) {
			memset(out_of(0), i % 2 ? 0xff : 0, 200);
			memcpy(out_of(0), &sizes[i], 4);
			out_of(0)[4] = (uint8_t)type;
			out_of(0)[5] = out_of(0)[6] = 0;
			if (type != TVERSION) {
				raw_send(0, i % 3 ? 60 : 3 + i, i % 4 ? PAGE : i);
				raw_wait(0);
				look_for_the_secret(0);
				if (broken) {
					breaks++;
					raw_reset();
					start();
				}
			}
		}
	}
	for (unsigned n = 0; n < 17; n++)
		call(TWALK, "wwhD", 0u, 8u, 65535u - 4096 * n, (size_t)4, "\x01\0d\0");
	start();
	check(breaks && call(TWALK, "wwhs", 0u, 6u, 1u, "hello") == 0, "what is no message breaks it, and it answers after a reset");
}

/* --- races --- */

/* What a walk, wherever it led to, lets one do. */
static void use(unsigned fid)
{
	if (call(TLOPEN, "ww", fid, 0u) == 0) {
		call(TREAD, "wqw", fid, (uint64_t)0, 1000u);
		look_for_the_secret(0);
		call(TREADDIR, "wqw", fid, (uint64_t)0, 1000u);
		look_for_the_secret(0);
	}
	call(TCLUNK, "w", fid);
}

/* All of it is under way at the same time; the server takes it in any order. */
static void races(unsigned rounds, const char *dir)
{
	for (unsigned i = 0; i < rounds; i++) {
		call(TWALK, "wwhs", 0u, 30u, 1u, dir);
		begin(1, TRENAMEAT, "wsws", 0u, dir, 0u, "moved");
		begin(2, TSYMLINK, "wssw", 0u, dir, outside, 0u);
		begin(3, TWALK, "wwhss", 0u, 40u, 2u, dir, "secret");
		begin(4, TWALK, "wwhs", 0u, 41u, 1u, dir);
		begin(5, TMKDIR, "wsww", 30u, "made", 0777u, 0u);
		begin(6, TUNLINKAT, "wsw", 30u, "secret", 0u);
		begin(7, TRENAMEAT, "wsws", 30u, "secret", 0u, "stolen");
		begin(8, TWALK, "wwhss", 30u, 42u, 2u, "..", "outside");
		begin(9, TUNLINKAT, "wsw", 0u, dir, 0u);
		begin(10, TRENAMEAT, "wsws", 0u, "moved", 0u, dir);
		begin(11, TSYMLINK, "wssw", 30u, "made-too", "x", 0u);
		begin(12, TWALK, "wwhsss", 30u, 43u, 3u, "..", dir, "secret");
		begin(13, TLINK, "wws", 30u, 30u, "made");
		begin(14, TUNLINKAT, "wsw", 30u, "made", 0x200u);
		for (int s = 1; s < 15; s++) {
			raw_wait(s);
			look_for_the_secret(s);
		}
		use(40);
		call(TLCREATE, "wswww", 41u, "made-by-create", 0102u, 0666u, 0u);
		use(41);
		use(42);
		use(43);
		call(TCLUNK, "w", 30u);
		call(TUNLINKAT, "wsw", 0u, dir, 0u);
		call(TRENAMEAT, "wsws", 0u, "moved", 0u, dir);
	}
	check(call(TWALK, "wwhs", 0u, 40u, 1u, "stolen") != 0, "something was stolen in a race");
}

/* A folder moves up while somebody walks down and up in it. */
static void moves(unsigned rounds)
{
	call(TMKDIR, "wsww", 0u, "deep", 0755u, 0u);
	call(TWALK, "wwhs", 0u, 30u, 1u, "deep");
	call(TMKDIR, "wsww", 30u, "a", 0755u, 0u);
	call(TWALK, "wwhs", 30u, 31u, 1u, "a");
	call(TMKDIR, "wsww", 31u, "b", 0755u, 0u);
	call(TWALK, "wwhs", 31u, 32u, 1u, "b");
	for (unsigned i = 0; i < rounds; i++) {
		begin(1, TRENAMEAT, "wsws", 30u, "a", 0u, "a");
		begin(2, TWALK, "wwhsssss", 32u, 50u, 5u, "..", "..", "..", "outside", "secret");
		begin(3, TWALK, "wwhsssss", 32u, 51u, 5u, "..", "..", "..", "..", "outside");
		begin(4, TRENAMEAT, "wsws", 0u, "a", 30u, "a");
		begin(5, TWALK, "wwhss", 32u, 52u, 2u, "..", "..");
		for (int s = 1; s < 6; s++)
			raw_wait(s);
		check(answer_of(2)[7] <= 3 || answered[2] < 9 || answer_of(2)[4] == 7, "up and out, by a move");
		check(answer_of(3)[7] <= 4 || answered[3] < 9 || answer_of(3)[4] == 7, "up and out, by a move");
		for (unsigned f = 50; f < 53; f++)
			call(TCLUNK, "w", f);
	}
}

static _Noreturn void race_on_the_host(const char *share, const char *to)
{
	if (chdir(share) < 0)
		die(share);
	for (;;) {
		if (rename("e", ".e") == 0 && symlink(to, "e") == 0)
			unlink("e");
		rename(".e", "e");
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "race"))
		race_on_the_host(argv[2], argv[3]);
	if (argc != 2)
		return 2;
	outside = argv[1];
	raw_open();
	sessions();
	names();
	up();
	links();
	devices();
	fids();
	lengths();
	races(200, "d");
	/* This one somebody on the host moves, too. */
	races(200, "e");
	moves(200);
	printf("p9attack: %d checks, %d failed\n", checks, failed);
	return failed != 0;
}
