# SPDX-License-Identifier: GPL-2.0-or-later
# libivshmem as a library for programs outside: shared, static, pkg-config, header.
LIBIVSHMEM_SO := libivshmem.so.0
LIBIVSHMEM := $(LIBIVSHMEM_SO) libivshmem.so libivshmem.a libivshmem.pc
LIBIVSHMEM_OBJS := $(filter libivshmem/%,$(OBJS))
LIBIVSHMEM_VERSION := 0.1

$(LIBIVSHMEM_SO): $(LIBIVSHMEM_OBJS) $(SRC)/libivshmem/libivshmem.map objects.list
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -shared $(ZDEFS) -Wl,-soname,$(LIBIVSHMEM_SO) \
	    -Wl,--version-script,$(SRC)/libivshmem/libivshmem.map -o $@ $(LIBIVSHMEM_OBJS)
libivshmem.so: | $(LIBIVSHMEM_SO)
	$(Q)ln -sf $(LIBIVSHMEM_SO) $@
libivshmem.a: $(LIBIVSHMEM_OBJS) objects.list
	$(Q)rm -f $@ && ar rcs $@ $(LIBIVSHMEM_OBJS)
libivshmem.pc: $(SRC)/libivshmem/rules.mk config.mak
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'Name: libivshmem' \
	    'Description: messages through the memory of ivshmem devices' 'Version: $(LIBIVSHMEM_VERSION)' \
	    'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -livshmem' > $@

.PHONY: install-libivshmem
install-libivshmem: $(LIBIVSHMEM)
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 755 $(LIBIVSHMEM_SO) $(DESTDIR)$(PREFIX)/lib/
	ln -sf $(LIBIVSHMEM_SO) $(DESTDIR)$(PREFIX)/lib/libivshmem.so
	install -m 644 libivshmem.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 libivshmem.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	install -D -m 644 $(SRC)/libivshmem/ivshmem.h $(DESTDIR)$(PREFIX)/include/libivshmem/ivshmem.h
