/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of state: building them. */
#include "util/osdep.h"
#include "vmstate/node.h"

StateNode *state_node_new(const char *name)
{
    StateNode *n = g_new0(StateNode, 1);

    n->name = g_strdup(name);
    n->kind = STATE_STRUCT;
    return n;
}

void state_node_free(StateNode *n)
{
    if (!n) {
        return;
    }
    for (size_t i = 0; i < n->num_fields; i++) {
        state_node_free(n->fields[i]);
    }
    for (size_t i = 0; i < n->num_flags; i++) {
        g_free(n->flags[i].name);
    }
    g_free(n->fields);
    g_free(n->flags);
    g_free(n->name);
    g_free(n->text);
    g_free(n->bytes);
    g_free(n->numbers);
    g_free(n->word);
    g_free(n->meaning);
    g_free(n);
}

StateNode *state_add(StateNode *into, const char *name, StateKind kind)
{
    StateNode *n = state_node_new(name);

    n->kind = kind;
    if (into->num_fields == into->room) {
        into->room = into->room ? 2 * into->room : 4;
        into->fields = g_renew(StateNode *, into->fields, into->room);
    }
    into->fields[into->num_fields++] = n;
    return n;
}

StateNode *state_add_struct(StateNode *into, const char *name)
{
    return state_add(into, name, STATE_STRUCT);
}

StateNode *state_add_queue(StateNode *into, const char *name)
{
    return state_add(into, name, STATE_QUEUE);
}

StateNode *state_add_element(StateNode *into, StateKind kind)
{
    char name[32];

    snprintf(name, sizeof(name), "[%zu]", into->num_fields);
    return state_add(into, name, kind);
}

StateNode *state_add_uint(StateNode *into, const char *name, uint64_t value, unsigned bits)
{
    StateNode *n = state_add(into, name, STATE_UINT);

    n->u = value;
    n->bits = (uint8_t)bits;
    return n;
}

StateNode *state_add_uintf(StateNode *into, uint64_t value, unsigned bits, const char *fmt, ...)
{
    g_autofree char *name = NULL;
    va_list ap;

    va_start(ap, fmt);
    name = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return state_add_uint(into, name, value, bits);
}

StateNode *state_add_int(StateNode *into, const char *name, int64_t value)
{
    StateNode *n = state_add(into, name, STATE_INT);

    n->u = (uint64_t)value;
    return n;
}

StateNode *state_add_bool(StateNode *into, const char *name, bool value)
{
    StateNode *n = state_add(into, name, STATE_BOOL);

    n->u = value;
    return n;
}

StateNode *state_add_address(StateNode *into, const char *name, uint64_t value, unsigned bits)
{
    StateNode *n = state_add_uint(into, name, value, bits);

    n->address = true;
    return n;
}

StateNode *state_add_text(StateNode *into, const char *name, const char *text)
{
    StateNode *n = state_add(into, name, STATE_TEXT);

    /* What a guest wrote may be anything. */
    n->text = g_utf8_make_valid(text, -1);
    return n;
}

StateNode *state_add_textf(StateNode *into, const char *name, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return state_add_text(into, name, text);
}

StateNode *state_add_bytes(StateNode *into, const char *name, const void *data, size_t len)
{
    StateNode *n = state_add(into, name, STATE_BYTES);

    state_set_bytes(n, data, len);
    return n;
}

void state_add_number(StateNode *array, uint64_t value)
{
    array->numbers = g_renew(uint64_t, array->numbers, array->num_numbers + 1);
    array->numbers[array->num_numbers++] = value;
}

void state_remove(StateNode *from, const char *name)
{
    for (size_t i = 0; i < from->num_fields; i++) {
        if (!strcmp(from->fields[i]->name, name)) {
            state_node_free(from->fields[i]);
            from->num_fields--;
            memmove(&from->fields[i], &from->fields[i + 1],
                    (from->num_fields - i) * sizeof(from->fields[0]));
            return;
        }
    }
}

void state_set_bytes(StateNode *n, const void *data, size_t len)
{
    n->kind = STATE_BYTES;
    g_free(n->bytes);
    n->bytes = len ? g_memdup2(data, len) : NULL;
    n->num_bytes = len;
}

void state_add_flag(StateNode *n, const char *name, uint64_t value)
{
    n->flags = g_renew(StateFlag, n->flags, n->num_flags + 1);
    n->flags[n->num_flags++] = (StateFlag){ g_strdup(name), value };
}

void state_add_flags(StateNode *n, const RegFlag *flags)
{
    for (const RegFlag *f = flags; f && f->name; f++) {
        uint32_t v = f->mask ? ((uint32_t)n->u & f->mask) >> __builtin_ctz(f->mask) : 0;

        if (v || !IS_POWER_OF_2(f->mask)) {
            state_add_flag(n, f->name, v);
        }
    }
}

void state_set_word(StateNode *n, const char *word)
{
    g_free(n->word);
    n->word = g_strdup(word);
}

void state_mean(StateNode *n, const char *fmt, ...)
{
    va_list ap;

    g_free(n->meaning);
    va_start(ap, fmt);
    n->meaning = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (!g_utf8_validate(n->meaning, -1, NULL)) {
        char *valid = g_utf8_make_valid(n->meaning, -1);

        g_free(n->meaning);
        n->meaning = valid;
    }
}

/* --- what a table says --- */

static void mean_number(StateNode *n, const VmMeaning *m)
{
    if (m->values && n->u < m->num_values && m->values[n->u]) {
        state_set_word(n, m->values[n->u]);
    } else if (m->word) {
        state_set_word(n, m->word(n->u));
    }
    state_add_flags(n, m->flags);
    n->address = m->address;
    if (m->text && !n->meaning) {
        n->meaning = m->text(n->u);
    }
}

/* The elements become fields with names, or are looked at each by itself. */
static void mean_array(StateNode *n, const VmMeaning *m)
{
    size_t count = n->kind == STATE_BYTES ? n->num_bytes : n->num_numbers;
    unsigned bits = n->kind == STATE_BYTES ? 8 : n->bits;

    if (!m->elements && !m->flags && !m->values && !m->word && !m->text && !m->address) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t v = state_number(n, i);

        if (i < m->num_elements && m->elements[i]) {
            state_add_uint(n, m->elements[i], v, bits);
        } else {
            state_add_uintf(n, v, bits, "[%zu]", i);
        }
        mean_number(n->fields[i], m);
    }
    g_clear_pointer(&n->numbers, g_free);
    g_clear_pointer(&n->bytes, g_free);
    n->num_numbers = n->num_bytes = 0;
    n->kind = m->elements ? STATE_STRUCT : STATE_ARRAY;
}

void state_apply_meaning(StateNode *n, const VmMeaning *m)
{
    n->help = m->help;
    if (m->payload) {
        n->payload = m->payload;
    } else if (n->kind == STATE_BYTES || (n->kind == STATE_ARRAY && n->numbers)) {
        mean_array(n, m);
    } else if (n->kind <= STATE_TIME) {
        mean_number(n, m);
    }
    if (m->show) {
        m->show(n);
    }
}

uint64_t state_number(const StateNode *n, size_t i)
{
    if (n->kind == STATE_BYTES) {
        return i < n->num_bytes ? n->bytes[i] : 0;
    }
    return i < n->num_numbers ? n->numbers[i] : 0;
}
