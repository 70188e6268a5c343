/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs as devices see them, and machines. */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/machine.h"
#include "tests/lib/test.h"

#include "qobject/qobject.h"
#include "util/main-loop.h"

typedef struct TestCpu {
    CPUState cpu;
    uint64_t r0, pc;
} TestCpu;

static uint64_t get_pc(const CPUState *cpu) { return ((const TestCpu *)cpu)->pc; }
static bool get_reg(CPUState *cpu, UNUSED unsigned n, uint64_t *v)
{
    *v = ((TestCpu *)cpu)->r0;
    return true;
}
static bool set_reg(CPUState *cpu, UNUSED unsigned n, uint64_t v)
{
    ((TestCpu *)cpu)->r0 = v;
    return true;
}
static bool translate(UNUSED CPUState *cpu, uint64_t vaddr, hwaddr *phys,
                      UNUSED MemAttrs *attrs)
{
    *phys = vaddr - 0x10000;
    return vaddr >= 0x10000;
}

static const CpuRegInfo reg_infos[] = { { "r0", 64, NULL } };
static const CpuOps cpu_ops = {
    .arch = "test", .page_bits = 12, .regs = reg_infos, .num_regs = 1, .get_pc = get_pc,
    .get_reg = get_reg, .set_reg = set_reg, .debug_translate = translate,
};
static const Property cpu_props[] = {
    PROP_U64("r0", TestCpu, r0, 5, "start value"), PROP_END
};
static const DeviceType test_cpu = {
    .name = "test-cpu", .parent = TYPE_CPU, .size = sizeof(TestCpu), .data = &cpu_ops,
    .props = cpu_props,
};
DEVICE_TYPE(test_cpu)

static unsigned kicks;
static void count_kick(UNUSED CPUState *cpu) { kicks++; }

static void *vcpu_thread(void *opaque)
{
    CPUState *cpu = opaque;

    current_cpu = cpu;
    big_lock();
    cpu->created = true;
    while (!cpu->unplug) {
        if (cpu_has_queued_work(cpu)) {
            cpu_process_work(cpu);
        } else {
            big_lock_wait(&cpu->halt_cond);
        }
    }
    big_unlock();
    return NULL;
}

static void wake(CPUState *cpu)
{
    kicks++;
    cond_broadcast(&cpu->halt_cond);
}

static void do_work(CPUState *cpu, void *data)
{
    *(bool *)data = current_cpu == cpu;
}

static void do_unplug(CPUState *cpu, UNUSED void *data)
{
    cpu->unplug = true;
}

static void count_idle(void *opaque) { (*(unsigned *)opaque)++; }

static void check_idle_work(Test *t, CPUState *cpu)
{
    CpuIdleWork a, b;
    unsigned n = 0;

    cpu_idle_work_init(&a, count_idle, &n);
    cpu_idle_work_init(&b, count_idle, &n);
    cpu_before_idle(cpu, &a);
    cpu_before_idle(cpu, &b);
    cpu_before_idle(cpu, &a);
    check_u32(t, n, 0, "put off");
    cpu_run_idle_work(cpu);
    check_u32(t, n, 2, "each runs once");
    cpu_run_idle_work(cpu);
    check_u32(t, n, 2, "and no more");
    cpu_before_idle(cpu, &a);
    cpu_before_idle(cpu, &b);
    cpu_idle_work_forget(&a);
    cpu_run_idle_work(cpu);
    check_u32(t, n, 3, "one was forgotten");
    cpu_before_idle(cpu, &a);
    cpu_forget_idle_work(cpu);
    cpu_idle_work_forget(&a);
    check_true(t, !cpu->idle_work && !a.cpu, "the CPU goes");
}

TEST(cpu, lines_registers_memory)
{
    static const CpuAccelOps ops = { .name = "test", .kick = count_kick };
    TestCpu *c;
    Error *err = NULL;
    MemRegion ram;
    uint64_t v;
    char buf[4] = "abc";
    CPUState *cpu;

    main_loop_init();
    cpu_set_accel(&ops);
    c = (TestCpu *)device_new("test-cpu");
    cpu = &c->cpu;
    check_true(t, device_realize_unref(&cpu->dev, NULL, &err), "realized");
    check_true(t, cpu->index == 0 && cpu_by_index(0) == cpu && cpu_count() == 1, "listed");
    kicks = 0;
    irq_raise(cpu_irq_line(cpu, CPU_INTR_NMI));
    check_true(t, cpu_line_is_raised(cpu, CPU_INTR_NMI) && kicks == 1, "raised and kicked");
    check_true(t, cpu_has_work(cpu), "something to do");
    check_idle_work(t, cpu);
    cpu_lower(cpu, CPU_INTR_NMI);
    check_true(t, !cpu_has_work(cpu), "nothing to do");
    check_true(t, cpu_set_register(cpu, "r0", 9, &err) &&
                  cpu_get_register(cpu, "r0", &v, &err) && v == 9, "register");
    c->pc = 0x1000;
    check_true(t, cpu_get_register(cpu, "pc", &v, &err) && v == 0x1000, "pc");
    check_true(t, !cpu_get_register(cpu, "r1", &v, &err), "no such register");
    error_free(err);
    err = NULL;
    memory_region_init_ram(&ram, NULL, "cpu-test.ram", 8192, &err);
    memory_region_add(system_memory(), 0, &ram);
    check_true(t, cpu_memory_rw_debug(cpu, 0x10ffe, buf, 4, true, &err), "across pages");
    check_true(t, !memcmp((char *)memory_region_ram_ptr(&ram) + 0xffe, "abc", 4), "there");
    check_true(t, !cpu_memory_rw_debug(cpu, 0x100, buf, 4, false, &err), "not mapped");
    error_free(err);
    cpu_raise(cpu, CPU_INTR_HARD);
    cpu_reset(cpu);
    check_true(t, !cpu->interrupt_request, "reset");
    device_delete(&cpu->dev);
    check_int(t, cpu_count(), 0, "gone");
    memory_region_cleanup(&ram);
    cpu_set_accel(NULL);
    while (main_loop_iterate(false)) {
    }
}

TEST(cpu, work_on_its_thread)
{
    static const CpuAccelOps ops = { .name = "test", .kick = wake };
    bool on_thread = false;
    Thread thread;
    CPUState *cpu;

    main_loop_init();
    cpu_set_accel(&ops);
    cpu = CPU(device_new("test-cpu"));
    device_realize_unref(&cpu->dev, NULL, NULL);
    run_on_cpu(cpu, do_work, &on_thread);
    check_true(t, !on_thread, "without a thread: at once, here");
    thread_create(&thread, "vcpu", vcpu_thread, cpu);
    while (!cpu->created) {
        big_unlock();
        big_lock();
    }
    run_on_cpu(cpu, do_work, &on_thread);
    check_true(t, on_thread, "on the CPU's thread");
    async_run_on_cpu(cpu, do_unplug, NULL);
    big_unlock();
    thread_join(&thread);
    big_lock();
    cpu->created = false;
    device_delete(&cpu->dev);
    cpu_set_accel(NULL);
    while (main_loop_iterate(false)) {
    }
}

/* --- machines --- */

static bool test_machine_init(Machine *m, Error **errp)
{
    Device *cpu = machine_new_cpu(m, NULL, errp);

    if (!cpu || !device_realize_unref(cpu, NULL, errp)) {
        return false;
    }
    memory_region_add(system_memory(), 0, m->ram);
    return true;
}

static const char *const archs[] = { "test", NULL };
static const MachineType base_machine = {
    .name = "test-1.0", .alias = "test", .desc = "Test machine", .arch = archs,
    .default_for = archs, .default_cpu = "test-cpu", .max_cpus = 2,
    .default_ram_id = "test.ram", .default_ram_size = 1 * MIB, .init = test_machine_init,
};
MACHINE_TYPE(base_machine)
static const MachineType old_machine = {
    .name = "test-0.9", .parent = "test-1.0", .desc = "Older", .max_cpus = 1,
};
MACHINE_TYPE(old_machine)

TEST(machine, types)
{
    Error *err = NULL;
    const MachineType *mt = machine_type_find("test", &err);

    check_str(t, mt->name, "test-1.0", "by alias");
    mt = machine_type_find("test-0.9", &err);
    check_true(t, mt->max_cpus == 1 && mt->init == test_machine_init &&
                  !strcmp(mt->default_ram_id, "test.ram") && !mt->alias, "inheritance");
    check_true(t, machine_type_has_arch(mt, "test") && !machine_type_has_arch(mt, "x"),
               "architecture");
    check_str(t, machine_type_default("test")->name, "test-1.0", "default");
    check_true(t, !machine_type_find("nothing", &err), "unknown");
    check_str(t, error_message(err), "unsupported machine type: \"nothing\"", "says so");
    error_free(err);
}

TEST(machine, bring_up)
{
    QOBJECT_AUTO QDict *size = qdict_from_fmt("{'size': '2M'}");
    Error *err = NULL;
    Machine *m;

    main_loop_init();
    bus_system();
    m = machine_new(machine_type_find("test", NULL));
    m->cpu_features = g_strdup("r0=0x77");
    check_true(t, object_resolve_path("/machine", NULL) == &m->obj, "/machine");
    check_true(t, object_resolve_path("/machine/unattached/sysbus", NULL), "what was there");
    m->smp.cpus = 3;
    check_true(t, !machine_init(m, &err), "too many CPUs");
    error_free(err);
    err = NULL;
    m->smp.cpus = m->smp.max_cpus = 1;
    m->ram_memdev = g_strdup("test.ram");
    check_true(t, !machine_init(m, &err), "no such memory back end");
    error_free(err);
    err = NULL;
    check_true(t, !user_object_new("memory-backend-ram", "test.ram", NULL, true, &err), "no size");
    error_free(err);
    err = NULL;
    check_true(t, user_object_new("memory-backend-ram", "test.ram", size, true, &err), "made");
    m->ram_size = 1 * MIB;
    check_true(t, !machine_init(m, &err), "-m says otherwise");
    error_free(err);
    err = NULL;
    m->ram_size = 0;
    check_true(t, machine_init(m, &err), err ? error_message(err) : "init");
    check_true(t, object_resolve_path("/machine/unattached/device[0]", NULL) ==
                  &cpu_by_index(0)->dev.obj, "the CPU's place");
    check_u64(t, ((TestCpu *)cpu_by_index(0))->r0, 0x77, "its features");
    check_true(t, ram_block_find("test.ram") && m->ram_size == 2 * MIB, "RAM by its id");
    check_true(t, !user_object_delete("test.ram", &err), "in use");
    error_free(err);
    err = NULL;
    check_true(t, machine_done(m, &err), "done");
    machine_reset(RESET_COLD);
}
