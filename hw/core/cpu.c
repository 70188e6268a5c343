/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs as the rest of the machine sees them: the list, input lines, named
 * registers, and work for their threads.
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/cpu-state.h"
#include "hw/core/core-int.h"

#include "util/main-loop.h"

struct CpuWork {
    CpuWorkFn fn;
    void *data;
    bool exclusive;
    _Atomic bool *done;         /* somebody waits; else NULL */
    CpuWork *next;
};

CPUState *_Atomic cpu_list_head;
_Thread_local CPUState *current_cpu;

static const CpuAccelOps *accel;
static Cond work_cond;          /* with the big lock: some work was done */

CONSTRUCTOR static void cpu_start(void)
{
    cond_init(&work_cond);
}

void cpu_set_accel(const CpuAccelOps *ops)
{
    accel = ops;
}

const CpuAccelOps *cpu_accel(void)
{
    return accel;
}

/* --- the list --- */

CPUState *cpu_by_index(int index)
{
    CPU_FOREACH(cpu) {
        if (cpu->index == index) {
            return cpu;
        }
    }
    return NULL;
}

int cpu_count(void)
{
    int n = 0;

    CPU_FOREACH(cpu) {
        n++;
    }
    return n;
}

/* Readers walk without lock: link last, in order of index. */
static void list_add(CPUState *cpu)
{
    CPUState *prev = NULL, *next = cpu_list_head;
    int index = 0;

    /* The lowest free one, or the place that the machine has given it. */
    while (next && (cpu->index < 0 ? next->index == index : next->index < cpu->index)) {
        prev = next;
        next = next->next;
        index++;
    }
    cpu->index = cpu->index < 0 ? index : cpu->index;
    cpu->next = next;
    if (prev) {
        __atomic_store_n(&prev->next, cpu, __ATOMIC_RELEASE);
    } else {
        atomic_store(&cpu_list_head, cpu);
    }
}

static void list_remove(CPUState *cpu)
{
    CPUState *prev = NULL;

    for (CPUState *c = cpu_list_head; c; prev = c, c = c->next) {
        if (c == cpu) {
            if (prev) {
                __atomic_store_n(&prev->next, cpu->next, __ATOMIC_RELEASE);
            } else {
                atomic_store(&cpu_list_head, cpu->next);
            }
            return;
        }
    }
}

/* --- the device --- */

static void cpu_init(Device *dev)
{
    CPUState *cpu = CPU(dev);

    cpu->ops = device_data(dev);
    cpu->index = -1;
    cpu->exception_index = -1;
    mutex_init(&cpu->work_lock);
    cond_init(&cpu->halt_cond);
}

static void cpu_finalize(Device *dev)
{
    CPUState *cpu = CPU(dev);

    while (cpu->work_first) {
        CpuWork *w = cpu->work_first;

        cpu->work_first = w->next;
        g_free(w);
    }
    mutex_destroy(&cpu->work_lock);
    cond_destroy(&cpu->halt_cond);
}

static bool cpu_realize(Device *dev, UNUSED Error **errp)
{
    CPUState *cpu = CPU(dev);

    if (!cpu->as[0]) {
        cpu_set_address_space(cpu, 0, &address_space_memory);
    }
    cpu->halted = cpu->start_powered_off;
    cpu->stopped = true;
    list_add(cpu);
    return true;
}

static bool cpu_realize_done(Device *dev, Error **errp)
{
    CPUState *cpu = CPU(dev);

    return !accel || !accel->create || accel->create(cpu, errp);
}

static void cpu_unrealize(Device *dev)
{
    CPUState *cpu = CPU(dev);

    cpu_end_thread(cpu);
    cpu_forget_idle_work(cpu);
    list_remove(cpu);
}

static void cpu_reset_hold(Device *dev)
{
    CPUState *cpu = CPU(dev);

    atomic_store(&cpu->interrupt_request, 0);
    atomic_store(&cpu->exit_request, 0);
    cpu->halted = cpu->start_powered_off;
    cpu->exception_index = -1;
    cpu->crash_occurred = false;
}

static void cpu_reset_exit(Device *dev)
{
    if (accel && accel->reset) {
        accel->reset(CPU(dev));
    }
}

static const Property cpu_props[] = {
    PROP_BOOL("start-powered-off", CPUState, start_powered_off, false,
              "wait for another CPU to start it"),
    PROP_END
};

static AddressSpace *cpu_dma_space(Device *dev)
{
    return CPU(dev)->as[0];
}

static const DeviceType cpu_type = {
    .name = TYPE_CPU, .parent = TYPE_DEVICE, .size = sizeof(CPUState), .abstract = true,
    .category = DEVICE_CPU, .props = cpu_props, .init = cpu_init,
    .finalize = cpu_finalize, .realize = cpu_realize, .realize_done = cpu_realize_done,
    .unrealize = cpu_unrealize, .reset_hold = cpu_reset_hold,
    .reset_exit = cpu_reset_exit, .dma_space = cpu_dma_space, .printers = cpu_printers,
};
DEVICE_TYPE(cpu_type)

void cpu_set_address_space(CPUState *cpu, int index, AddressSpace *as)
{
    assert(index >= 0 && index < CPU_MAX_AS);
    cpu->as[index] = as;
    cpu->num_as = MAX(cpu->num_as, index + 1);
}

void cpu_reset(CPUState *cpu)
{
    device_reset(&cpu->dev, RESET_COLD);
}

void cpu_start_plugged(CPUState *cpu)
{
    cpu->stop = false;
    cpu->stopped = false;
    if (accel && accel->kick) {
        accel->kick(cpu);
    }
}

void cpu_end_thread(CPUState *cpu)
{
    if (accel && accel->destroy && cpu->created) {
        accel->destroy(cpu);
    }
}

/* --- lines --- */

void cpu_raise(CPUState *cpu, CpuLine line)
{
    atomic_fetch_or(&cpu->interrupt_request, BIT(line));
    if (accel && accel->interrupt) {
        accel->interrupt(cpu);
    } else {
        cpu_kick(cpu);
    }
}

void cpu_lower(CPUState *cpu, CpuLine line)
{
    atomic_fetch_and(&cpu->interrupt_request, ~BIT(line));
}

static void set_line(void *opaque, int n, int level)
{
    cpu_set_interrupt_line(opaque, n, level);
}

IrqLine *cpu_irq_line(CPUState *cpu, CpuLine line)
{
    g_autofree char *name = g_strdup_printf("line%d", line);
    IrqLine *irq = device_irq_in(&cpu->dev, name, 0);

    if (!irq) {
        device_init_irq_in_opaque(&cpu->dev, name, set_line, cpu, 1);
        irq = device_irq_in(&cpu->dev, name, 0);
        irq->n = line;
    }
    return irq;
}

bool cpu_has_work(CPUState *cpu)
{
    return cpu->ops && cpu->ops->has_work ? cpu->ops->has_work(cpu)
                                          : cpu->interrupt_request != 0;
}

/* --- registers and memory, for people and debuggers --- */

static int find_reg(const CPUState *cpu, const char *name)
{
    for (unsigned i = 0; cpu->ops && i < cpu->ops->num_regs; i++) {
        if (!strcmp(cpu->ops->regs[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static bool no_register(const CPUState *cpu, const char *name, Error **errp)
{
    error_setf(errp, ERR_INVALID_ARGUMENT, "CPU %d has no register '%s'", cpu->index, name);
    error_argument(errp, "register", name, NULL);
    return false;
}

bool cpu_get_register(CPUState *cpu, const char *name, uint64_t *value,
                      Error **errp)
{
    int n = find_reg(cpu, name);

    if (n < 0 && !strcmp(name, "pc") && cpu->ops && cpu->ops->get_pc) {
        *value = cpu->ops->get_pc(cpu);
        return true;
    }
    return (n >= 0 && cpu->ops->get_reg && cpu->ops->get_reg(cpu, n, value)) ||
           no_register(cpu, name, errp);
}

bool cpu_set_register(CPUState *cpu, const char *name, uint64_t value,
                      Error **errp)
{
    int n = find_reg(cpu, name);

    if (n < 0 && !strcmp(name, "pc") && cpu->ops && cpu->ops->set_pc) {
        cpu->ops->set_pc(cpu, value);
        return true;
    }
    return (n >= 0 && cpu->ops->set_reg && cpu->ops->set_reg(cpu, n, value)) ||
           no_register(cpu, name, errp);
}

bool cpu_memory_rw_debug(CPUState *cpu, uint64_t vaddr, void *buf, size_t len,
                         bool is_write, Error **errp)
{
    uint64_t page = UINT64_C(1) << (cpu->ops->page_bits ? cpu->ops->page_bits : 12);
    uint8_t *p = buf;

    while (len) {
        size_t n = MIN(len, page - (vaddr & (page - 1)));
        MemAttrs attrs = MEM_ATTRS_DEBUG;
        AddressSpace *as;
        MemResult r;
        hwaddr phys = vaddr;

        if (cpu->ops->debug_translate &&
            !cpu->ops->debug_translate(cpu, vaddr, &phys, &attrs)) {
            error_setf(errp, ERR_OUT_OF_RANGE, "address 0x%" PRIx64 " is not mapped", vaddr);
            return false;
        }
        as = cpu_address_space(cpu, attrs.secure ? 1 : 0);
        attrs.debug = true;
        r = is_write ? address_space_write_rom(as, phys, attrs, p, n)
                     : address_space_read(as, phys, attrs, p, n);
        if (r) {
            error_setf(errp, ERR_OUT_OF_RANGE, "nothing answers at address 0x%" PRIx64,
                       vaddr);
            return false;
        }
        p += n;
        vaddr += n;
        len -= n;
    }
    return true;
}

/* --- kicks and work --- */

void cpu_kick(CPUState *cpu)
{
    if (accel && accel->kick) {
        accel->kick(cpu);
    }
}

/* Of all CPUs of the process. */
static _Atomic bool singlestep;

void cpus_set_singlestep(bool on)
{
    atomic_store(&singlestep, on);
    CPU_FOREACH(cpu) {
        cpu_exit(cpu);                  /* out of translations that go on in others */
    }
}

bool cpus_singlestep(void)
{
    return atomic_load(&singlestep);
}

void cpu_exit(CPUState *cpu)
{
    atomic_store(&cpu->exit_request, 1);
    cpu_kick(cpu);
}

static void queue_work(CPUState *cpu, CpuWork *w)
{
    mutex_lock(&cpu->work_lock);
    if (cpu->work_last) {
        cpu->work_last->next = w;
    } else {
        __atomic_store_n(&cpu->work_first, w, __ATOMIC_RELEASE);    /* looked at without the lock */
    }
    cpu->work_last = w;
    mutex_unlock(&cpu->work_lock);
    cpu_exit(cpu);
}

static CpuWork *work_new(CpuWorkFn fn, void *data)
{
    CpuWork *w = g_new0(CpuWork, 1);

    w->fn = fn;
    w->data = data;
    return w;
}

void run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data)
{
    _Atomic bool done = false;
    CpuWork *w;

    if (!cpu->created || current_cpu == cpu) {
        fn(cpu, data);
        return;
    }
    w = work_new(fn, data);
    w->done = &done;
    queue_work(cpu, w);
    while (!done) {
        big_lock_wait(&work_cond);
    }
}

void async_run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data)
{
    if (!cpu->created) {
        fn(cpu, data);
        return;
    }
    queue_work(cpu, work_new(fn, data));
}

void async_safe_run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data)
{
    CpuWork *w;

    if (!cpu->created) {
        fn(cpu, data);
        return;
    }
    w = work_new(fn, data);
    w->exclusive = true;
    queue_work(cpu, w);
}

bool cpu_has_queued_work(CPUState *cpu)
{
    return __atomic_load_n(&cpu->work_first, __ATOMIC_ACQUIRE) != NULL;
}

void cpu_process_work(CPUState *cpu)
{
    for (;;) {
        CpuWork *w;

        mutex_lock(&cpu->work_lock);
        w = cpu->work_first;
        if (w) {
            __atomic_store_n(&cpu->work_first, w->next, __ATOMIC_RELEASE);
            if (!w->next) {
                cpu->work_last = NULL;
            }
        }
        mutex_unlock(&cpu->work_lock);
        if (!w) {
            break;
        }
        if (w->exclusive && accel && accel->run_exclusive) {
            accel->run_exclusive(cpu, w->fn, w->data);
        } else {
            w->fn(cpu, w->data);
        }
        if (w->done) {
            *w->done = true;
            cond_broadcast(&work_cond);
        }
        g_free(w);
    }
}
