/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of bench-ivshmem: no system, only a function that rings and is rung, the same for each emulator. Started
 * as a multiboot kernel, 32 bits, by firmware that has given the BARs their places.
 *
 * Shared memory, in words: 0 what to do, 1 to 3 whether peer n is ready, 6 length of a message; 32 rounds, 33 bytes (what is
 * counted is apart from what the sender looks at before each message: it measures the ring, not a cache line of the counters);
 * at byte 4096 the ring from peer 1 to peer 2, as libivshmem has it.
 */
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

enum { NOTHING, PING_GUEST, PING_HOST, STREAM };
#define HOST    0
#define ROUNDS  32
#define BYTES   33
#define RING    4096
#define SIZE    65536u

__asm__(".pushsection .multiboot, \"a\"\n.align 4\n.long 0x1badb002, 0, -0x1badb002\n.popsection\n"
	".pushsection .text\n.globl _start\n_start: mov $stack_top, %esp\ncall guest_main\n1: hlt\njmp 1b\n"
	".globl on_ring\non_ring: push %eax\nincl rings\nmovl $0, 0xfee000b0\npop %eax\niret\n"
	".globl on_noise\non_noise: iret\n.popsection\n"
	".pushsection .bss\n.align 16\n.space 16384\nstack_top:\n.popsection\n");
extern void on_ring(void), on_noise(void);
void guest_main(void);
volatile u32 rings;

static void outl(u16 port, u32 v) { __asm__ volatile("outl %0, %1" :: "a"(v), "Nd"(port)); }
static u32 inl(u16 port) { u32 v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static void outb(u16 port, u8 v) { __asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port)); }

static u32 devfn;
static u32 config(u32 reg)
{
	outl(0xcf8, 0x80000000u | devfn << 8 | reg);
	return inl(0xcfc);
}
static void set_config(u32 reg, u32 v)
{
	outl(0xcf8, 0x80000000u | devfn << 8 | reg);
	outl(0xcfc, v);
}

static u32 gdt[] = { 0, 0, 0xffff, 0x00cf9a00, 0xffff, 0x00cf9200 };
static u32 idt[512];
static struct { u16 limit; u32 base; } __attribute__((packed)) table;

static void set_gate(unsigned n, void (*fn)(void))
{
	idt[2 * n] = 8u << 16 | ((u32)fn & 0xffff);
	idt[2 * n + 1] = ((u32)fn & 0xffff0000u) | 0x8e00;
}

static void set_up_cpu(void)
{
	table.limit = sizeof(gdt) - 1;
	table.base = (u32)gdt;
	__asm__ volatile("lgdt %0\nljmp $8, $1f\n1: mov $16, %%ax\nmov %%ax, %%ds\nmov %%ax, %%es\nmov %%ax, %%ss"
			 :: "m"(table) : "eax", "memory");
	for (unsigned i = 0; i < 256; i++)
		set_gate(i, on_noise);
	set_gate(0x40, on_ring);
	table.limit = sizeof(idt) - 1;
	table.base = (u32)idt;
	__asm__ volatile("lidt %0" :: "m"(table) : "memory");
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	*(volatile u32 *)0xfee000f0 = 0x1ff;
}

static volatile u32 *regs, *mem;

static int set_up_device(void)
{
	volatile u32 *msix;
	u32 cap;

	for (devfn = 0; devfn < 256 && config(0) != 0x11101af4; devfn++)
		;
	if (devfn == 256)
		return 0;
	set_config(4, 6);
	regs = (u32 *)(config(0x10) & ~15u);
	msix = (u32 *)(config(0x14) & ~15u);
	mem = (u32 *)(config(0x18) & ~15u);
	msix[0] = 0xfee00000;
	msix[1] = 0;
	msix[2] = 0x40;
	msix[3] = 0;
	for (cap = config(0x34) & 0xff; cap && (config(cap) & 0xff) != 0x11; cap = config(cap) >> 8 & 0xff)
		;
	set_config(cap, config(cap) | 0x80000000u);
	return cap && !config(0x1c);
}

static void ring_peer(u32 peer) { regs[3] = peer << 16; }

/* Until we are rung; rings before count. */
static void wait(void)
{
	__asm__ volatile("cli" ::: "memory");
	while (!rings)
		__asm__ volatile("sti\nhlt\ncli" ::: "memory");
	rings = 0;
	__asm__ volatile("sti" ::: "memory");
}

/* --- the ring, by its picture in docs/ivshmem.md --- */

#define W(at)   ((volatile u32 *)((volatile u8 *)mem + RING + (at)))
static void fence(void) { __asm__ volatile("lock orl $0, (%%esp)" ::: "memory"); }

static void copy(volatile u32 *to, const volatile u32 *from, u32 bytes)
{
	u32 n = bytes / 4;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n) :: "memory");
}

static u32 local[4096];

static void produce(void)
{
	u32 head = 0, tail = 0, len = mem[6], step = 8 + len, to_end;

	while (mem[0] == STREAM) {
		to_end = SIZE - head % SIZE;
		if (SIZE - (head - tail) < step + (step > to_end ? to_end : 0)) {
			tail = *W(128);
			if (SIZE - (head - tail) < step + (step > to_end ? to_end : 0)) {
				*W(256) = 1;
				fence();
				tail = *W(128);
				if (SIZE - (head - tail) < step + (step > to_end ? to_end : 0))
					wait();
				*W(256) = 0;
				continue;
			}
		}
		if (step > to_end) {
			*W(320 + head % SIZE) = 0xffffffffu;
			head += to_end;
		}
		copy(W(320 + head % SIZE + 8), local, len);
		*W(320 + head % SIZE) = len;
		head += step;
		*W(64) = head;
		fence();
		if (*W(192)) {
			*W(192) = 0;
			ring_peer(2);
		}
	}
}

static void consume(void)
{
	u32 head = 0, tail = 0, len;

	while (mem[0] == STREAM) {
		if (head == tail) {
			head = *W(64);
			if (head == tail) {
				*W(192) = 1;
				fence();
				head = *W(64);
				if (head == tail)
					wait();
				*W(192) = 0;
				continue;
			}
		}
		len = *W(320 + tail % SIZE);
		if (len == 0xffffffffu) {
			tail += SIZE - tail % SIZE;
			continue;
		}
		copy(local, W(320 + tail % SIZE + 8), len);
		tail += 8 + len;
		*W(128) = tail;
		mem[ROUNDS]++;
		mem[BYTES] += len;
		if (head - tail > SIZE / 2)
			continue;
		fence();
		if (*W(256)) {
			*W(256) = 0;
			ring_peer(1);
		}
	}
}

void guest_main(void)
{
	u32 us;

	set_up_cpu();
	if (!set_up_device())
		return;
	us = regs[2];
	mem[us] = 1;
	for (;;) {
		wait();
		switch (mem[0]) {
		case PING_GUEST:
			if (us == 1)
				mem[ROUNDS]++;
			ring_peer(us == 1 ? 2 : 1);
			break;
		case PING_HOST:
			ring_peer(HOST);
			break;
		case STREAM:
			if (us == 1)
				produce();
			else
				consume();
			break;
		}
	}
}
