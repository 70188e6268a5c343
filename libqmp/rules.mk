# SPDX-License-Identifier: GPL-2.0-or-later
# libqmp as a library for programs outside: shared, static, pkg-config, headers, manual page.
LIBQMP_SO := libqmp.so.0
LIBQMP := $(LIBQMP_SO) libqmp.so libqmp.a libqmp.pc
LIBQMP_OBJS := $(filter libqmp/% qobject/% qapi/qapi-type.o qapi/qapi-decode.o qapi/qapi-encode.o \
    generated/qapi/types-% generated/qapi/qmp-calls.o,$(OBJS))
LIBQMP_HEADERS = libqmp/qmp.h libqmp/qmp-client.h libqmp/qmp-glib.h qobject/error.h qobject/qobject.h \
    qobject/json.h qapi/qapi-type.h util/osdep.h
LIBQMP_GENERATED = $(filter qmp-calls.h types-%.h,$(QAPI_GEN_FILES))
LIBQMP_VERSION := 0.1

$(LIBQMP_SO): $(LIBQMP_OBJS) $(SRC)/libqmp/libqmp.map objects.list
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -shared $(ZDEFS) -Wl,-soname,$(LIBQMP_SO) \
	    -Wl,--version-script,$(SRC)/libqmp/libqmp.map -o $@ $(LIBQMP_OBJS) -lm
libqmp.so: | $(LIBQMP_SO)
	$(Q)ln -sf $(LIBQMP_SO) $@
libqmp.a: $(LIBQMP_OBJS) objects.list
	$(Q)rm -f $@ && ar rcs $@ $(LIBQMP_OBJS)
libqmp.pc: $(SRC)/libqmp/rules.mk config.mak
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'Name: libqmp' \
	    'Description: client of the QEMU Machine Protocol' 'Version: $(LIBQMP_VERSION)' \
	    'Cflags: -I$${prefix}/include/libqmp' 'Libs: -L$${prefix}/lib -lqmp' \
	    'Libs.private: -lm -pthread' > $@

.PHONY: install-libqmp
install-libqmp: $(LIBQMP)
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/man/man3
	install -m 755 $(LIBQMP_SO) $(DESTDIR)$(PREFIX)/lib/
	ln -sf $(LIBQMP_SO) $(DESTDIR)$(PREFIX)/lib/libqmp.so
	install -m 644 libqmp.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 libqmp.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	install -m 644 $(SRC)/libqmp/libqmp.3 $(DESTDIR)$(PREFIX)/share/man/man3/
	for h in $(LIBQMP_HEADERS); do \
	    install -D -m 644 $(SRC)/$$h $(DESTDIR)$(PREFIX)/include/libqmp/$$h || exit 1; done
	for h in $(LIBQMP_GENERATED); do install -D -m 644 generated/qapi/$$h \
	    $(DESTDIR)$(PREFIX)/include/libqmp/qapi/$$h || exit 1; done
