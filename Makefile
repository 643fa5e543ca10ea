# The two main commands: `make up` runs the product, `make test` runs its tests.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DATA    ?= data
UP      := $(if $(POLICY),--policy $(POLICY)) --data $(DATA) $(ARGS)

.PHONY: help up demo test test-fast test-one faults contract screenshots check vuln build tools bench bench-micro
.DELETE_ON_ERROR:

# `make help` lists the targets that have a comment after ##.
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# make up [POLICY=examples/fast-policy.yaml] [DATA=data] [ARGS='--port 8081']
up: build bin/supportdesk-temporal ## run the product on this machine
	@exec ./bin/supportdesk up $(UP)

demo: build bin/supportdesk-temporal ## run the product with 400 invented tickets
	@exec ./bin/supportdesk up --demo $(UP)

build: ## build bin/supportdesk
	@test -e bin/supportdesk || echo 'Building Supportdesk, once: a few minutes on 2 cores the first time.'
	@go build -ldflags '-X main.version=$(VERSION)' -o bin/supportdesk ./cmd/supportdesk

# Temporal's server is a separate module, because it has ten times as many dependencies.
bin/supportdesk-temporal: $(wildcard temporal/*.go) temporal/go.mod temporal/go.sum
	@echo 'Building the Temporal server, once: about 5 minutes on 2 cores the first time.'
	@cd temporal && go build -ldflags '-s -w' -o ../bin/supportdesk-temporal .

# The S3 server of the tests.
bin/versitygw: s3/go.mod s3/go.sum
	@echo 'Building the S3 server of the tests, once: about a minute on 2 cores the first time.'
	@cd s3 && go build -ldflags '-s -w' -o ../bin/versitygw github.com/versity/versitygw/cmd/versitygw

tools: bin/golangci-lint bin/workflowcheck bin/govulncheck ## build the linters

bin/golangci-lint: tools/go.mod tools/go.sum
	@echo 'Building golangci-lint, once: a few minutes on 2 cores the first time.'
	@cd tools && go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/workflowcheck: tools/go.mod tools/go.sum
	@cd tools && go build -o ../bin/workflowcheck go.temporal.io/sdk/contrib/tools/workflowcheck

bin/govulncheck: tools/go.mod tools/go.sum
	@cd tools && go build -o ../bin/govulncheck golang.org/x/vuln/cmd/govulncheck

# The packages whose tests take longest start first, so that none of them runs alone at the end.
LONGEST := ./internal/e2e ./api/panel ./internal/store ./api/portal ./cmd/supportdesk ./workflows

# Neither these packages nor their tests have anything concurrent, in which the race detector could find something, and
# with it their models take five times as long. TestSequential_packagesHaveNothingConcurrent keeps them so.
SEQUENTIAL := ./internal/holiday ./internal/inbound/message ./internal/inbound/quote ./internal/inbound/tnef ./internal/ticket
MODULE     := github.com/holesalemart/supportdesk

# Everything that CI runs. With CI=true a test that would be skipped fails: internal/skiptest.
test: check vuln build bin/supportdesk-temporal bin/versitygw ## run everything that CI runs
	@$(SAY_IF_NO_BROWSER)
	go test -timeout 60m $(SEQUENTIAL)
	go test -race -timeout 60m $(LONGEST) $$(go list ./... | grep -vxF $(SEQUENTIAL:./%=-e $(MODULE)/%))
	cd temporal && go test ./...
	@$(SAY_IF_NO_BROWSER)

# The tests that need neither Temporal's server nor a browser; those of the use cases start PostgreSQL.
FAST := . ./activities ./api/request ./internal/app ./internal/chart ./internal/config ./internal/desk ./internal/fault \
	./internal/holiday ./internal/link ./internal/loop ./internal/mail ./internal/policy ./internal/report ./internal/ticket ./internal/webhook

test-fast: ## run the tests of the domain and the use cases, under a minute
	go test $(FAST)

test-one: ## run one test by name: make test-one T=TestStep_byHand [P=./internal/store]
	@test -n "$(T)" || { echo 'usage: make test-one T=TestName [P=./package]'; exit 2; }
	go test -count=1 -run '$(T)' $(or $(P),./...)

# make faults [SEED=1] [TIME=10m] [LOGS=folder]: see CONTRIBUTING.md. It takes one to two minutes without faults, and two to three a round.
faults: bin/supportdesk-temporal ## kill, stop, freeze, fill and cut every part under load, and look for what was lost or doubled
	SUPPORTDESK_FAULTS_SEED=$(SEED) SUPPORTDESK_FAULTS_TIME=$(or $(TIME),10m) SUPPORTDESK_FAULTS_LOGS=$(abspath $(LOGS)) \
		go test -count=1 -v -timeout 24h -run '^TestFaults$$' ./internal/e2e

contract: ## record a changed contract; it also needs a line in CHANGELOG.md
	go test ./api -run '^TestDocument_' -update
	go test ./cmd/supportdesk -run '^TestSite_hasTheRulesThatWereAgreedOn$$' -update
	go test ./internal/policy ./internal/local -run '^TestContract_' -update
	go test ./workflows -run '^TestContract_' -record

SAY_IF_NO_BROWSER = if [ -n "$$CHROMIUM" ]; then command -v "$$CHROMIUM"; \
	else command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome; fi >/dev/null || \
	echo 'Chromium is not installed: tests in a browser are skipped. To install it: apt-get install --no-install-recommends chromium-headless-shell'

# The README's pictures, taken by a test of a desk with demo data.
screenshots: bin/supportdesk-temporal ## take the README's pictures
	CI=true SUPPORTDESK_SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 -run '^TestScreenshots$$' ./internal/e2e

check: tools ## check formatting, linters and the determinism of the workflows
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt on these files'; exit 1; }
	go mod tidy -diff
	go vet ./...
	cd temporal && go vet ./...
	bin/golangci-lint run ./...
	bin/workflowcheck -config workflows/workflowcheck.yaml ./workflows/...

# Known vulnerabilities in the code that the program calls, from the database at vuln.go.dev or VULNDB=URL. Only a finding
# fails; if the database is unreachable, a message says so.
vuln: bin/govulncheck ## look for known vulnerabilities in code that the program calls
	@said=$$(bin/govulncheck $(if $(VULNDB),-db $(VULNDB)) ./... 2>&1); status=$$?; echo "$$said"; \
	case "$$status $$said" in \
	'1 govulncheck: fetching vulnerabilities:'*) echo 'The vulnerability database is unreachable: nothing was checked.' ;; \
	*) exit $$status ;; \
	esac

# make bench [ONLY=commands,rush] [SCALE=0.1] [ARGS='--rush 500']; `bin/bench --list` lists the sections. See docs/benchmarks.md.
bench: build bin/supportdesk-temporal ## measure the product beside bare alternatives
	@go build -o bin/bench ./cmd/bench
	@bin/bench $(if $(ONLY),--only $(ONLY)) $(if $(SCALE),--scale $(SCALE)) --json bin/bench-results/$(shell date -u +%Y%m%dT%H%M%SZ).json $(ARGS)

bench-micro: ## run the benchmarks of single functions
	go test -run '^$$' -bench . -benchmem ./...
