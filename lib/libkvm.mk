# SPDX-License-Identifier: GPL-2.0-only
#
# Read by make after the kernel's own tools/testing/selftests/kvm/Makefile, so
# that libkvm.a is made of the framework's object list with the framework's
# flags, and our tests are compiled with the same flags.

# "q", not "r": lib/memstress.o and lib/x86/memstress.o are two members.
$(OUTPUT)/libkvm.a: $(LIBKVM_OBJS)
	rm -f $@
	$(WITNESS_AR) qcsD $@ $^

# Flags with every relative folder made absolute: our makefile does not run in
# the framework's folder.
$(OUTPUT)/flags.mk: $(MAKEFILE_LIST)
	@printf '%s\n' $(subst ",\",$(CFLAGS)) | awk -v dir="$(CURDIR)" ' \
		function abs(p) { return p ~ /^\// ? p : dir "/" p } \
		BEGIN { printf "KVM_CFLAGS :=" } \
		want { printf " -I%s", abs($$0); want = 0; next } \
		/^-I$$/ { want = 1; next } \
		/^-I/ { p = substr($$0, 3); if (p != "" && p != ".") printf " -I%s", abs(p); next } \
		{ printf " %s", $$0 } \
		END { print "" }' >$@.tmp
	@printf 'KVM_LDFLAGS := %s\nKVM_LDLIBS := %s\nKVM_CC := %s\n' \
		'$(LDFLAGS)' '$(LDLIBS)' '$(CC)' >>$@.tmp
	@mv $@.tmp $@

# The selftests themselves, for machine_check.sh: one name a line.
witness-selftests:
	printf '%s\n' $(patsubst $(OUTPUT)/%,%,$(TEST_GEN_PROGS)) >$(OUTPUT)/selftests

witness-libkvm: $(OUTPUT)/libkvm.a $(OUTPUT)/flags.mk
.PHONY: witness-libkvm witness-selftests
