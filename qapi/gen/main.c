/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qapi-gen -o FOLDER [-p PREFIX] [-i INCLUDE-FOLDER] [-d DOC-FOLDER [-c NAMES]] SCHEMA
 *
 * Writes for each module (file) of SCHEMA types-, commands- and
 * events-MODULE.[ch], schema.c with the list of all, and qmp-calls.[ch] for clients. PREFIX goes before the
 * names of files and of the schema's symbols, for a second schema in one
 * program. Headers include each other as INCLUDE-FOLDER/NAME (default: qapi).
 * DOC-FOLDER gets the manual, and the page that compares the schema with a list of NAMES.
 */
#include "util/osdep.h"
#include <unistd.h>
#include "qapi/gen/gen.h"

GenOptions gen_options = {
    .prefix = "", .c_prefix = "", .include_dir = "qapi/",
};

/* Built with the address sanitizer: what is never freed isn't a mistake here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static NORETURN void usage(void)
{
    fputs("usage: qapi-gen -o FOLDER [-p PREFIX] [-i INCLUDE-FOLDER] [-d DOC-FOLDER [-c NAMES]] "
          "SCHEMA\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    const char *names = NULL;
    int opt;

    while ((opt = getopt(argc, argv, "o:p:i:d:c:")) != -1) {
        switch (opt) {
        case 'o':
            gen_options.out_dir = optarg;
            break;
        case 'p':
            gen_options.prefix = optarg;
            gen_options.c_prefix = c_name(optarg);
            break;
        case 'i':
            gen_options.include_dir = str_fmt("%s/", optarg);
            break;
        case 'd':
            gen_options.doc_dir = optarg;
            break;
        case 'c':
            names = optarg;
            break;
        default:
            usage();
        }
    }
    if (!gen_options.out_dir || optind != argc - 1) {
        usage();
    }
    parse_file(argv[optind]);
    schema_build();
    for (size_t i = 0; i < n_modules; i++) {
        out_types(&modules[i]);
        out_tables(&modules[i]);
        out_commands(&modules[i]);
        out_events(&modules[i]);
    }
    out_schema();
    if (!*gen_options.prefix) {
        out_client();
    }
    if (gen_options.doc_dir) {
        out_manual();
        if (names) {
            out_coverage(names);
        }
    }
    return 0;
}
