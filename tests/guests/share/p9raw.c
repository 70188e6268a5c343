/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio 1.1: 4.1 (PCI), 2.6 (split rings). */
#define _GNU_SOURCE
#include "tests/guests/share/p9raw.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint8_t *common, *notify;
static uint8_t *memory;			/* pages: descriptors, available, used, then two a slot */
static uint64_t physical[3 + 2 * SLOTS];
static uint16_t seen;
uint32_t answered[SLOTS];
static int under_way[SLOTS];
int broken;

void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint8_t *page(int i) { return memory + PAGE * i; }
uint8_t *out_of(int slot) { return page(3 + 2 * slot); }
uint8_t *answer_of(int slot) { return page(4 + 2 * slot); }

static void *map_bar(const char *address, unsigned bar)
{
	char path[300];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", address, bar);
	fd = open(path, O_RDWR);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	return p;
}

static void find_device(char *address)
{
	DIR *d = opendir("/sys/bus/pci/devices");
	struct dirent *e;
	char path[300], text[16];

	while ((e = readdir(d))) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", e->d_name);
		f = fopen(path, "r");
		if (f && fgets(text, sizeof(text), f) && (!strncmp(text, "0x1009", 6) || !strncmp(text, "0x1049", 6)))
			strcpy(address, e->d_name);
		if (f)
			fclose(f);
	}
	closedir(d);
	if (!*address)
		die("no virtio-9p-pci device");
}

uint32_t load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }

static void find_structures(const char *address)
{
	uint8_t config[256];
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", address);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDWR);
	if (fd < 0 || pread(fd, config, sizeof(config), 0) != sizeof(config))
		die(path);
	config[4] |= 6;			/* memory, bus master */
	if (pwrite(fd, config + 4, 2, 4) != 2)
		die("config");
	close(fd);
	for (unsigned c = config[0x34]; c; c = config[c + 1]) {
		if (config[c] != 9)
			continue;
		if (config[c + 3] == 1)
			common = (uint8_t *)map_bar(address, config[c + 4]) + load32(config + c + 8);
		else if (config[c + 3] == 2 && !notify)
			notify = (uint8_t *)map_bar(address, config[c + 4]) + load32(config + c + 8);
	}
	if (!common || !notify)
		die("not a modern device");
}

static void get_memory(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	memory = mmap(NULL, PAGE * (3 + 2 * SLOTS), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED || fd < 0)
		die("memory");
	memset(memory, 0, PAGE * (3 + 2 * SLOTS));
	for (int i = 0; i < 3 + 2 * SLOTS; i++) {
		uint64_t entry;

		if (pread(fd, &entry, 8, (uintptr_t)page(i) / PAGE * 8) != 8 || !(entry >> 63))
			die("pagemap");
		physical[i] = (entry & ((1ull << 55) - 1)) * PAGE;
	}
	close(fd);
}

#define REG8(at)	(*(volatile uint8_t *)(common + (at)))
#define REG16(at)	(*(volatile uint16_t *)(common + (at)))
#define REG32(at)	(*(volatile uint32_t *)(common + (at)))

static void set_address(unsigned at, uint64_t v)
{
	REG32(at) = (uint32_t)v;
	REG32(at + 4) = (uint32_t)(v >> 32);
}

void raw_reset(void)
{
	REG8(20) = 0;			/* device_status */
	while (REG8(20))
		;
	memset(page(1), 0, 2 * PAGE);
	seen = 0;
	broken = 0;
	REG8(20) = 3;
	REG32(8) = 1;			/* driver_feature: VIRTIO_F_VERSION_1 */
	REG32(12) = 1;
	REG8(20) = 11;
	if (!(REG8(20) & 8))
		die("features");
	REG16(22) = 0;			/* queue_select */
	REG16(24) = 2 * SLOTS;		/* queue_size */
	set_address(32, physical[0]);
	set_address(40, physical[1]);
	set_address(48, physical[2]);
	REG16(28) = 1;
	((uint16_t *)page(1))[0] = 1;	/* no interrupts */
	REG8(20) = 15;
}

void raw_open(void)
{
	char address[300] = "";

	find_device(address);
	find_structures(address);
	get_memory();
	raw_reset();
}

void raw_send(int slot, uint32_t len, uint32_t room)
{
	struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; } *d = (struct desc *)page(0);
	uint16_t *available = (uint16_t *)page(1);

	d[2 * slot] = (struct desc){ physical[3 + 2 * slot], len, 1, (uint16_t)(2 * slot + 1) };
	d[2 * slot + 1] = (struct desc){ physical[4 + 2 * slot], room, 2, 0 };
	memset(answer_of(slot), 0, PAGE);
	under_way[slot] = 1;
	available[2 + available[1] % (2 * SLOTS)] = (uint16_t)(2 * slot);
	__sync_synchronize();
	available[1]++;
	__sync_synchronize();
	*(volatile uint16_t *)notify = 0;
}

void raw_wait(int slot)
{
	volatile uint16_t *used = (uint16_t *)page(2);

	for (unsigned turns = 0; under_way[slot]; turns++) {
		if (turns % 1024 == 1023 && REG8(20) & 0x40) {		/* DEVICE_NEEDS_RESET */
			memset(under_way, 0, sizeof(under_way));
			memset(answered, 0, sizeof(answered));
			broken = 1;
			return;
		}
		while (seen != used[1]) {
			volatile uint32_t *e = (uint32_t *)(page(2) + 4 + 8 * (seen % (2 * SLOTS)));

			__sync_synchronize();
			under_way[e[0] / 2] = 0;
			answered[e[0] / 2] = e[1];
			seen++;
		}
	}
}

static void vsend(int slot, uint8_t type, const char *fmt, va_list ap)
{
	uint8_t *at = out_of(slot) + 7;
	const char *s;
	uint64_t v;
	size_t n;

	for (; *fmt; fmt++) {
		switch (*fmt) {
		case 'q':
			v = va_arg(ap, uint64_t);
			memcpy(at, &v, 8);
			at += 8;
			break;
		case 's':
			s = va_arg(ap, const char *);
			n = strlen(s);
			memcpy(at, &n, 2);
			memcpy(at + 2, s, n);
			at += 2 + n;
			break;
		case 'D':
			n = va_arg(ap, size_t);
			memcpy(at, va_arg(ap, const void *), n);
			at += n;
			break;
		default:
			v = va_arg(ap, unsigned);
			n = *fmt == 'b' ? 1 : *fmt == 'h' ? 2 : 4;
			memcpy(at, &v, n);
			at += n;
		}
	}
	n = (size_t)(at - out_of(slot));
	memcpy(out_of(slot), &n, 4);
	out_of(slot)[4] = type;
	out_of(slot)[5] = (uint8_t)slot;
	out_of(slot)[6] = 0;
	raw_send(slot, (uint32_t)n, PAGE);
}

void begin(int slot, uint8_t type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend(slot, type, fmt, ap);
	va_end(ap);
}

int end(int slot)
{
	uint8_t *a = answer_of(slot);

	raw_wait(slot);
	if (answered[slot] < 7)
		return -1;
	if (a[4] == 7)
		return (int)load32(a + 7);
	return a[4] == out_of(slot)[4] + 1 ? 0 : -1;
}

int call(uint8_t type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsend(0, type, fmt, ap);
	va_end(ap);
	return end(0);
}
