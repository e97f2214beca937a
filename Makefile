# What a person does with this clone. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help setup test test-all lint ruff mypy ansible-lint sanity changelog demo demo-down demo-netboot demo-netboot-down clean

BIN := .venv/bin
FLEET := collections/ansible_collections/fleet
COLLECTIONS := $(patsubst $(FLEET)/%/galaxy.yml,%,$(wildcard $(FLEET)/*/galaxy.yml))
# Caches stay in the clone.
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export XDG_CACHE_HOME := $(CURDIR)/.cache
export PYTHONDONTWRITEBYTECODE := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Real disks, namespaces and mounts need root; the rest of the work does not, and must still be able to write its caches.
CACHE_OF_ROOT := $(CURDIR)/.cache/root
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo env ANSIBLE_CONFIG=$(ANSIBLE_CONFIG) ANSIBLE_HOME=$(CACHE_OF_ROOT)/ansible \
	XDG_CACHE_HOME=$(CACHE_OF_ROOT) PYTHONDONTWRITEBYTECODE=1)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages and the Python environment that are missing
	@scripts/setup

demo: setup ## build a virtual room, capture its model, clone it to its stations at once, and show what happened
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/demo/demo.room.yml playbooks/demo_room.yml
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/demo playbooks/demo.yml

demo-down: setup ## remove the virtual room
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/demo/demo.room.yml playbooks/demo_down.yml

demo-netboot: setup ## wake a blank machine with real firmware and Secure Boot, restore it over the network, and see it start its own system
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/netboot playbooks/demo_netboot_room.yml
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/netboot playbooks/demo_netboot.yml

demo-netboot-down: setup ## remove its virtual room
	$(AS_ROOT) $(BIN)/ansible-playbook -i inventories/netboot playbooks/demo_down.yml

test: setup ## run the tests, then lint; those that take longest are left to test-all, and named
	@$(AS_ROOT) scripts/test
	@$(MAKE) --no-print-directory lint

test-all: setup ## run every test, then lint (hours on a small machine)
	@$(AS_ROOT) scripts/test --whole
	@$(MAKE) --no-print-directory lint

lint: setup ruff mypy ansible-lint changelog sanity ## read every file the way the tools do

ruff:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

mypy:
	@echo mypy; STATIONDB_HOME=$(CURDIR)/.cache/stationdb $(BIN)/mypy $(sort $(shell find stationdb $(wildcard $(FLEET)/*/plugins/module_utils $(FLEET)/*/plugins/plugin_utils) -name '*.py' -not -path '*/tests/*' -not -path '*/migrations/*'))

ansible-lint:
	$(BIN)/ansible-lint

sanity:
	scripts/sanity $(COLLECTIONS)

changelog:
	scripts/changelog $(COLLECTIONS)

clean: ## forget caches and the Python environment (system packages stay)
	$(AS_ROOT) rm -rf .venv .cache dist $(FLEET)/*/tests/output
