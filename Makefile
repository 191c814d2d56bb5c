# edged: one static binary. `make test` is the one test command; `make demo` shows the main job.
export CGO_ENABLED := 0
BIN        := bin
LINT       := $(BIN)/golangci-lint
LINT_AT    := v2.15.0
# A number of inputs, not a time: go test -fuzz may end with "context deadline exceeded" when its time is up.
FUZZTIME   ?= 10000x
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS    := -s -w -X main.version=$(VERSION)
PLATFORMS  := amd64 arm64 arm/6 arm/7 riscv64 386
# What the tests talk to, and break things with: a cloud's broker, sensors and readers, Modbus servers that we did not write.
PEERS      := mosquitto mosquitto-clients python3-paho-mqtt python3-pymodbus openssl strace e2fsprogs

.PHONY: all build demo test deps vet lint race 386 fuzz cross size bench-test clients-test bench soak clean
all: build

build: ## the binary, for this machine
	go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/edged ./cmd/edged

demo: build ## a reading reaches the cloud through an outage; exits 0 only when nothing was lost
	$(BIN)/edged demo

test: deps vet lint cross race 386 bench-test clients-test fuzz size ## all checks; what CI runs

deps: ## the real peers that the tests talk to, as Debian packages; Node.js only where there is none
	@want="$(PEERS)"; command -v npm >/dev/null || want="$$want nodejs npm"; \
	dpkg -s $$want >/dev/null 2>&1 || { \
	  run=; [ "$$(id -u)" = 0 ] || run=sudo; \
	  echo "installing $$want"; \
	  $$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends $$want >/dev/null; }

vet:
	go vet ./...

$(LINT)-$(LINT_AT):
	GOBIN=$(CURDIR)/$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_AT)
	mv $(LINT) $@

lint: $(LINT)-$(LINT_AT) ## golangci-lint, with the floors
	$(LINT)-$(LINT_AT) run --timeout 10m ./...

race: build ## every test, with the race detector (which needs cgo for itself), real peers included; -count=1 as go test does not see that the binary changed
	CGO_ENABLED=1 go test -race -count=1 -timeout 10m ./...

386: ## 32-bit faults: the same tests without the real peers, as a 386 binary
	GOARCH=386 go test -timeout 10m $$(go list ./... | grep -v /test/)

fuzz: ## each fuzz target, FUZZTIME inputs
	sh test/fuzz.sh $(FUZZTIME)

cross: ## vet and build for every platform we ship
	@set -e; for p in $(PLATFORMS); do \
	  arch=$${p%/*}; arm=; case $$p in arm/*) arm=$${p#*/};; esac; \
	  echo "vet and build linux/$$p"; \
	  GOOS=linux GOARCH=$$arch GOARM=$$arm go vet ./...; \
	  GOOS=linux GOARCH=$$arch GOARM=$$arm go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/edged-linux-$$arch$$arm ./cmd/edged; \
	done

size: build ## binary, memory when idle, time to ready: measured and held to their limits
	sh test/size.sh $(BIN)/edged

bench-test: ## the load generator's own tests
	cd bench && go vet ./... && go test ./...

clients-test: ## other people's MQTT clients, over every listener
	cd test/clients && go vet ./... && go test -count=1 -timeout 5m ./...

bench: build ## edged beside mosquitto and mochi, in the same run; about 25 minutes on a quiet machine
	cd bench && go run ./cmd/bench

soak: build ## the faults again and again: a thousand power cuts
	EDGED_FAULTS_ROUNDS=20 go test -timeout 6h ./test/faults

clean:
	rm -rf $(BIN) dist
