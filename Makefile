# shipfrom.  `make demo` to see it, `make test` to prove it, `make check` while
# working on it.  README.md explains each; `make help` lists them.

BUILD   ?= build
CC      ?= gcc
PREFIX  ?= /usr/local

# What C is written in, and what the compiler is asked to find (STYLE).
STD      = -std=gnu2x -D_GNU_SOURCE -I. -pthread
WARN     = -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings \
	   -Wformat=2 -Wvla -Wundef -Wold-style-definition \
	   -Wmissing-prototypes -Wstrict-prototypes -Wno-format-truncation
WERROR  ?= $(if $(CI),-Werror,)
HARDEN  ?= -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 \
	   -fno-common -fPIE -fstack-clash-protection -fcf-protection
OPT     ?= -O2 -g
LINKHARD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
CFLAGS_ALL  = $(STD) $(OPT) $(WARN) $(WERROR) $(HARDEN) $(CFLAGS) -MMD -MP
LDFLAGS_ALL = $(LINKHARD) -pthread $(LDFLAGS)
LIBS     = -lmicrohttpd -lcjson -lssl -lcrypto -lcurl -llmdb -linih

# Every .c of these folders is part of the product; main.c is its main().
SRC      = $(sort $(wildcard base/*.c store/*.c centra/*.c handlers/*.c server/*.c))
OBJ      = $(SRC:%.c=$(BUILD)/%.o)
OBJ_LIB  = $(filter-out $(BUILD)/server/main.o,$(OBJ))

# The stand-in for Centra shares no code with the product.
SIM_SRC  = $(sort $(wildcard tests/sim/*.c))
SIM_OBJ  = $(SIM_SRC:%.c=$(BUILD)/%.o)

# tests/unit/test_X.c links the product's objects; tests/e2e/test_X.c only the
# harness: it meets the built binary as a user does.
UNIT     = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
E2E      = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/e2e/test_*.c)))
HARNESS  = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/harness/*.c)))
UNIT_HELP = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/unit/test_%.c,$(sort $(wildcard tests/unit/*.c))))

all: $(BUILD)/shipfrom $(BUILD)/centra-sim

$(BUILD)/shipfrom: $(OBJ)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/centra-sim: $(SIM_OBJ)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lmicrohttpd -lcjson -lcrypto -lcurl

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(UNIT_HELP) $(OBJ_LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

$(E2E): $(BUILD)/%: $(BUILD)/%.o $(HARNESS)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lcurl -lcjson -lcrypto

unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t 2>&1 || exit 1; done

e2e: all $(E2E)
	@for t in $(E2E); do echo "== $$t"; BUILD=$(BUILD) $$t 2>&1 || exit 1; done

clean:
	rm -rf build

.PHONY: all unit e2e clean
.SECONDARY:
-include $(OBJ:.o=.d) $(SIM_OBJ:.o=.d) $(HARNESS:.o=.d) $(UNIT:=.d) $(E2E:=.d)
