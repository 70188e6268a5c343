/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "crypto/authz.h"
#include "qobject/qobject.h"
#include "qom/object.h"

#define RULES_MAX   1024

typedef struct AuthzSimple {
    Object parent;
    char *identity;
} AuthzSimple;

typedef struct AuthzList {
    Object parent;
    int policy;
    QList *rules;               /* owned; checked when set */
} AuthzList;

enum { POLICY_DENY, POLICY_ALLOW };
static const char *const policy_names[] = { "deny", "allow", NULL };

DEFINE_CAST(AUTHZ_SIMPLE, AuthzSimple, "authz-simple")
DEFINE_CAST(AUTHZ_LIST, AuthzList, "authz-list")

static bool one_of(const char *text, const char *a, const char *b)
{
    return text && (strcmp(text, a) == 0 || strcmp(text, b) == 0);
}

static bool rule_ok(const QObject *o, size_t i, Error **errp)
{
    const QDict *rule = qobject_to_dict(o);
    const char *format = rule ? qdict_str_or(rule, "format", "exact") : NULL;

    if (!rule || !qdict_str_or(rule, "match", NULL) ||
        !one_of(qdict_str_or(rule, "policy", NULL), "allow", "deny") ||
        !one_of(format, "exact", "glob")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "rule %zu isn't one; accepted: 'match' (text), "
                   "'policy' (allow, deny), 'format' (exact, glob)", i);
        return false;
    }
    return true;
}

static QObject *get_rules(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    AuthzList *a = AUTHZ_LIST(obj);

    return a->rules ? qobject_copy(QOBJECT(a->rules)) : QOBJECT(qlist_new());
}

static bool set_rules(Object *obj, UNUSED const Property *p, const QObject *value, Error **errp)
{
    AuthzList *a = AUTHZ_LIST(obj);
    QList *list = qobject_to_list(value);

    if (!list || qlist_size(list) > RULES_MAX) {
        error_setf(errp, ERR_WRONG_TYPE, "'rules' must be a list of up to %d rules", RULES_MAX);
        return false;
    }
    for (size_t i = 0; i < qlist_size(list); i++) {
        if (!rule_ok(qlist_get(list, i), i, errp)) {
            return false;
        }
    }
    qobject_unref(a->rules);
    a->rules = qobject_to_list(qobject_copy(value));
    return true;
}

static void list_finalize(Object *obj)
{
    qobject_unref(AUTHZ_LIST(obj)->rules);
}

static const Property simple_props[] = {
    PROP_STR("identity", AuthzSimple, identity, NULL, "the one name that is allowed"),
    PROP_END
};

static const Property list_props[] = {
    PROP_ENUM("policy", AuthzList, policy, POLICY_DENY, policy_names,
              "for names that no rule matches: deny, allow"),
    PROP_CUSTOM("rules", "list", get_rules, set_rules, "the rules; the first that matches decides"),
    PROP_END
};

static const TypeInfo simple_type = {
    .name = "authz-simple", .desc = "allows one name", .size = sizeof(AuthzSimple),
    .user_creatable = true, .props = simple_props,
};
TYPE(simple_type)

static const TypeInfo list_type = {
    .name = "authz-list", .desc = "allows and denies names by rules", .size = sizeof(AuthzList),
    .user_creatable = true, .props = list_props, .finalize = list_finalize,
};
TYPE(list_type)

static bool list_allows(const AuthzList *a, const char *identity)
{
    for (size_t i = 0; a->rules && i < qlist_size(a->rules); i++) {
        const QDict *rule = qobject_to_dict(qlist_get(a->rules, i));
        const char *match = qdict_str_or(rule, "match", "");
        bool glob = strcmp(qdict_str_or(rule, "format", "exact"), "glob") == 0;

        if (glob ? g_pattern_match_simple(match, identity) : strcmp(match, identity) == 0) {
            return strcmp(qdict_str_or(rule, "policy", "deny"), "allow") == 0;
        }
    }
    return a->policy == POLICY_ALLOW;
}

bool authz_allows(const char *id, const char *identity, bool *allowed, Error **errp)
{
    Object *obj = user_object_find(id, NULL, NULL);

    if (obj && object_is_a(obj, "authz-simple")) {
        const char *own = AUTHZ_SIMPLE(obj)->identity;

        *allowed = own && strcmp(own, identity) == 0;
    } else if (obj && object_is_a(obj, "authz-list")) {
        *allowed = list_allows(AUTHZ_LIST(obj), identity);
    } else {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "there is no authorization object '%s'", id);
        error_hint(errp, "-object authz-simple and authz-list make them");
        return false;
    }
    return true;
}
