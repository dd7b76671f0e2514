# Thin on purpose: each target is one or two ordinary Go commands.
TOOL = go tool -modfile=.ci/tools.mod

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -s -w leaves out what only debuggers need, and grpcnotrace a page of gRPC that no node serves:
# 34 MB instead of 56.
BUILD = CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags "-s -w -X main.version=$$(.ci/version)"

build: ## build bin/fairfactor
	$(BUILD) -o bin/fairfactor ./cmd/fairfactor

run: build ## build and start a node on http://127.0.0.1:5555
	./bin/fairfactor serve

# reflex runs the command again whenever a file changes that the program is made of,
# and first asks the old one to end.
dev: ## start a node on http://127.0.0.1:5555; on each change, rebuild and restart it
	@echo "make dev: rebuilds and restarts the node when a source file changes; Ctrl-C ends it"
	@$(TOOL) reflex --decoration=none --start-service --shutdown-timeout=15s \
		--regex='(\.(go|s|json|html|css|js|svg|sql)|go\.(mod|sum))$$' --inverse-regex='_test\.go$$' --inverse-regex='^(bin|bench|docs)/' -- \
		sh -c '$(MAKE) --no-print-directory build && echo "make dev: starting" && exec ./bin/fairfactor serve $(DEV_FLAGS); echo "make dev: waiting for the next change"'

# What has assembly for some processors, or runs it: make test takes it without each.
PATHS = ./factor ./factor/tune ./factor/internal/arith ./factor/internal/cpu ./factor/internal/ecm ./factor/internal/fft ./factor/internal/prime ./factor/internal/qs ./factor/internal/sieve ./factor/internal/siqs

# What is left out under the race detector, and what mostly watches processes, which take
# twice as long with it: the program and the benchmarks.
PLAIN = ./actors/sim ./bench/... ./cmd/fairfactor ./factor/internal/siqs

# Many tests wait for processes, so four packages run at a time, and the longest begin first.
SLOW = ./store/postgres ./http ./cluster ./factor ./actors ./store/pebble

test: formatted ## install what the tests need and run them all, nearly all under the race detector
	.ci/needs
	go vet ./...
	go test -p 4 -race -timeout 20m $(SLOW) $$(go list ./... | grep -v -e /bench -e /cmd/fairfactor$$)
	go test -p 4 -timeout 10m ./cmd/fairfactor $(PLAIN)
	go test -run '^TestReal' ./actors
	go test -count=1 -v ./factor/internal/cpu # says which paths this machine can test
	printf '%s\n' FAIRFACTOR_CPU=noadx FAIRFACTOR_CPU=noifma FAIRFACTOR_CPU=noavx512 FAIRFACTOR_CPU=noavx2 GOFLAGS=-tags=purego | \
		xargs -P 2 -I % env % go test -count=1 -short $(PATHS)

dist: ## make programs, archives and packages for all platforms, with checksums, in dist/
	.ci/dist

peers-test: ## run the tests of bench/peers, a module of its own, with the queues that it compares with
	.ci/needs peers
	go -C bench/peers test ./...

kubernetes-test: ## build the manifests of Kubernetes, and hold them and the dashboard to their schemas
	go -C cmd/fairfactor/deploy/kubernetes/check test ./...

compose-test: ## run docker-compose.yml for real and kill its containers
	.ci/needs compose
	go test -tags compose -count=1 -v -timeout 20m ./cmd/fairfactor/deploy

# FAIRFACTOR_TESTS=bare leaves out tests that need PostgreSQL or a browser, see pgtest.Need;
# without it they fail if the machine has none.
check: formatted ## the quick one: format, vet, and each test that needs nothing but Go
	go vet ./...
	FAIRFACTOR_TESTS=bare go test -timeout 10m ./...

lint: formatted ## format check, vet, staticcheck
	go vet ./...
	go vet -tags compose ./cmd/fairfactor/deploy
	go -C bench/peers vet ./...
	$(TOOL) staticcheck ./...

formatted:
	@unformatted="$$($(TOOL) gofumpt -l .)"; test -z "$$unformatted" || { echo "not formatted, run make format:"; echo "$$unformatted"; exit 1; }

format: ## format all Go files
	$(TOOL) gofumpt -w .

generate: ## write all generated files again
	go generate ./...

bench: ## load a private node and print what it did, next to named alternatives
	go run ./bench all

sim: ## run simulations with seeds that no one has seen, until it is told to stop
	go test -v -count=1 -timeout 0 ./actors/sim -run TestSimulation -for 10000h

sim-mutants: ## put faults into a copy of the source, and see that the simulation finds each
	go test -v -count=1 -timeout 0 ./actors/sim -run TestMutants -mutants

FUZZTIME ?= 10m

fuzz: ## run each fuzz target for ten minutes, or make fuzz FUZZTIME=1m
	@grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's#/[^/]*:func (Fuzz[A-Za-z0-9]*).*# \1#' | sort | \
		while read -r folder target; do \
			echo "make fuzz: $$folder $$target"; \
			go test "$$folder" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done

chaos: ## kill, stop, cut off and restart the nodes of a private cluster for half an hour; as root
	.ci/needs
	go run ./bench chaos

powercuts: ## cut the power of a node whose disk forgets what was not synced, 300 times; as root
	go run ./bench powercuts

oom-test: ## have the system kill a node that takes too much memory, in a control group; as root
	go test -tags oom -count=1 -v -run OutOfMemory ./cmd/fairfactor

soak: ## ten million jobs on a node, then two million on three nodes, with faults: hours
	.ci/needs
	go run ./bench soak
	go run ./bench soak -nodes 3 -jobs 2000000

mutants: ## make small faults in the source, one at a time: does a test find each?
	.ci/needs
	go run ./bench mutants

# Import paths, and those that tests of the layout name; the generated messages keep theirs.
module: ## rename the module: make module NAME=example.org/team/fairfactor
	@test -n "$(NAME)" || { echo "say how: make module NAME=example.org/team/fairfactor" >&2; exit 1; }
	git ls-files -z '*.go' | xargs -0 sed -Ei \
		-e 's#"fairfactor/(actors|bench|cluster|cmd|factor|http|store)([/"])#"$(NAME)/\1\2#g' \
		-e 's#^(\t|import )([a-z_]+ )?"fairfactor"$$#\1\2"$(NAME)"#'
	sed -Ei 's#"fairfactor"#"$(NAME)"#g' layout_test.go
	sed -Ei 's#^(module|replace|\t)( ?)fairfactor(/| |$$)#\1\2$(NAME)\3#' go.mod bench/peers/go.mod cmd/fairfactor/deploy/kubernetes/check/go.mod
	@$(TOOL) gofumpt -w .

.PHONY: help module build dist run dev check test peers-test kubernetes-test compose-test lint formatted format generate bench sim sim-mutants fuzz chaos powercuts oom-test soak mutants
.DEFAULT_GOAL := help
