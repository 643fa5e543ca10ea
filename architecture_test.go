// Package supportdesk_test holds the packages to what docs/architecture.md says of them.
package supportdesk_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/holesalemart/supportdesk/"

// layer is what a package may import.
type layer struct {
	path    string
	why     string
	ours    string // packages of this module that it may import, separated by spaces
	modules string // and modules of others, by the beginnings of their import paths
	std     string // packages of the standard library that it must not import
}

// reachesOut are the standard library's ways to the world outside of the process.
const reachesOut = "net net/http os os/exec database/sql log log/slog"

// layers lists every package that programs are made of, with all that it may import. A package that is missing here, and
// an import that is missing in its line, fails the test: what a package may come to know is decided here first.
var layers = []layer{
	{"internal/fault", "every package shares it", "", "", reachesOut},
	{"internal/policy", "deadlines are pure", "internal/fault", "go.yaml.in/yaml/v4", "net net/http os/exec database/sql log log/slog"},
	{"internal/ticket", "the domain is pure", "internal/fault internal/policy", "", reachesOut},
	{"internal/holiday", "it reads calendar files and makes holidays of a policy", "internal/fault internal/policy", "github.com/emersion/go-ical github.com/teambition/rrule-go", reachesOut},
	{"internal/inbound/quote", "folding is pure", "", "golang.org/x/net/html", reachesOut},
	{"internal/text", "cutting and cleaning are pure", "", "", reachesOut},
	{"internal/link", "signing is pure", "internal/fault internal/ticket", "", reachesOut},
	{"internal/batch", "it gathers calls and knows nothing of the work", "", "", "net net/http os os/exec database/sql"},
	{"internal/logging", "it adds what a context carries to log lines and knows nothing of it", "", "", "net net/http os/exec database/sql"},
	{"internal/loop", "it waits and backs off", "", "", "net net/http os os/exec database/sql"},
	{"internal/markup", "it turns text into safe HTML and knows nothing of where either is", "internal/text", "github.com/JohannesKaufmann/html-to-markdown/v2 github.com/microcosm-cc/bluemonday github.com/yuin/goldmark golang.org/x/net/html", reachesOut},
	{"internal/attachment", "what a file may do is decided by rules alone", "internal/fault internal/text", "github.com/gabriel-vasile/mimetype golang.org/x/image golang.org/x/text/unicode/norm", reachesOut},
	{"internal/chart", "it draws numbers", "", "", reachesOut},
	{"internal/desk", "API, pages and store share it", "internal/fault internal/policy internal/text internal/ticket", "golang.org/x/text/unicode/norm", "net net/http os os/exec database/sql"},
	{"internal/outbox", "it delivers by what its transports and its store do", "internal/desk internal/fault internal/loop internal/ticket", "", "net net/http os os/exec database/sql"},
	{"internal/report", "counting is pure", "internal/desk internal/fault internal/policy internal/ticket", "", reachesOut},
	{"internal/app", "the use cases are the same for every neighbour", "internal/attachment internal/blob internal/desk internal/fault internal/logging internal/policy internal/report internal/ticket", "", "net net/http os os/exec database/sql"},
	{"internal/account", "it knows neither where accounts are stored nor how people are answered", "internal/desk internal/fault internal/policy internal/ticket", "github.com/alexedwards/argon2id golang.org/x/text/unicode/norm", "net net/http os os/exec database/sql"},
	{"internal/demo", "it invents what people asked, and the domain decides the rest", "internal/desk internal/fault internal/policy internal/ticket", "", "net net/http os os/exec database/sql"},

	{"workflows", "replayed code reads nothing but its history", "internal/fault internal/policy internal/ticket", "go.temporal.io/sdk/converter go.temporal.io/sdk/temporal go.temporal.io/sdk/workflow", reachesOut},
	{"activities", "what an activity needs comes through its own interfaces", "internal/desk internal/fault internal/loop internal/outbox internal/ticket", "go.temporal.io/sdk/activity go.temporal.io/sdk/temporal golang.org/x/sync/errgroup golang.org/x/time/rate", "net/http os os/exec database/sql"},
	{"worker", "it registers and tunes", "activities workflows", "go.temporal.io/sdk", "net/http os/exec database/sql"},

	{"internal/store", "it knows PostgreSQL and neither Temporal nor SMTP", "internal/account internal/app internal/batch internal/desk internal/fault internal/link internal/loop internal/outbox internal/policy internal/report internal/text internal/ticket", "github.com/jackc/pgx/v5 github.com/pressly/goose/v3 golang.org/x/sync/errgroup", "net/http os/exec"},
	{"internal/dispatch", "it alone uses the Temporal client, and knows neither SQL nor HTTP", "internal/desk internal/fault internal/loop internal/ticket workflows", "go.temporal.io/api go.temporal.io/sdk golang.org/x/sync/errgroup golang.org/x/time/rate google.golang.org/grpc google.golang.org/protobuf", "net/http os/exec database/sql"},
	{"internal/inbound/message", "reading a mail is pure", "internal/inbound/tnef internal/text", "golang.org/x/net/html golang.org/x/text", reachesOut},
	{"internal/inbound/automatic", "what a mail is follows from the mail alone", "internal/inbound/message internal/text", "", reachesOut},
	{"internal/inbound/tnef", "it reads one form of files", "", "golang.org/x/net/html/charset", reachesOut},
	{"internal/mail", "it knows SMTP and neither SQL nor Temporal", "internal/account internal/desk internal/fault internal/inbound/automatic internal/inbound/quote internal/link internal/markup internal/outbox internal/policy internal/text internal/ticket", "github.com/emersion/go-msgauth/dkim github.com/wneessen/go-mail golang.org/x/net/idna", "net/http os/exec database/sql"},
	{"internal/imap", "it knows IMAP and nothing of what becomes of a mail", "internal/desk internal/fault internal/loop", "github.com/emersion/go-imap/v2", "net/http os/exec database/sql"},
	{"internal/webhook", "it knows HTTP and neither SQL nor Temporal", "internal/desk internal/fault internal/outbox internal/policy internal/ticket", "", "os/exec database/sql"},
	{"internal/blob", "it stores bytes and knows nothing of what they are", "internal/fault", "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager github.com/aws/aws-sdk-go-v2/service/s3 gocloud.dev/blob gocloud.dev/gcerrors", "net net/http os/exec database/sql log log/slog"},
	{"internal/openid", "it knows the provider and nothing of the desk", "internal/account internal/fault", "github.com/coreos/go-oidc/v3 golang.org/x/oauth2", "os/exec database/sql"},

	{"api", "it speaks HTTP and leaves the rest to the use cases", "api/input api/page api/request internal/account internal/desk internal/fault internal/logging internal/markup internal/policy internal/report internal/text internal/ticket", "github.com/danielgtaylor/huma/v2 github.com/gin-gonic/gin github.com/klauspost/compress/gzhttp", "os/exec database/sql"},
	{"api/request", "every page and the API share it", "internal/attachment internal/desk internal/fault internal/policy internal/text internal/ticket", "golang.org/x/time/rate", "os os/exec database/sql"},
	{"api/input", "every page and the API share it", "internal/desk internal/fault internal/policy internal/text internal/ticket", "", "os os/exec database/sql"},
	{"api/account", "a page package serves one audience", "api/page api/input api/request internal/account internal/desk internal/fault internal/openid internal/ticket", "golang.org/x/time/rate", "os os/exec database/sql"},
	{"api/incoming", "a page package serves one audience", "api/page api/request internal/desk internal/fault", "", "os os/exec database/sql"},
	{"api/page", "every page is made with it", "api/request internal/desk internal/fault internal/inbound/quote internal/markup internal/policy internal/text internal/ticket", "github.com/PuerkitoBio/goquery github.com/alexedwards/scs/v2 github.com/gin-gonic/gin golang.org/x/net/html", "os os/exec database/sql"},
	{"api/files", "a page package serves one audience", "api/page api/request internal/desk internal/fault internal/link", "golang.org/x/time/rate", "os os/exec database/sql"},
	{"api/panel", "a page package serves one audience", "api/input api/page api/request internal/desk internal/fault internal/link internal/markup internal/policy internal/ticket", "golang.org/x/time/rate", "os os/exec database/sql"},
	{"api/portal", "a page package serves one audience", "api/input api/page api/request internal/desk internal/fault internal/link internal/policy internal/ticket", "golang.org/x/time/rate", "os os/exec database/sql"},
	{"api/supervision", "a page package serves one audience", "api/input api/page api/request internal/chart internal/desk internal/fault internal/holiday internal/policy internal/report internal/ticket", "", "os os/exec database/sql"},

	{"internal/config", "it knows names and types", "internal/desk internal/policy internal/ticket", "github.com/caarlos0/env/v11", "net/http os/exec database/sql"},
	{"internal/local", "the embedded stack of up, which production does without", "internal/fault internal/loop internal/smtpreply internal/text", "github.com/emersion/go-message github.com/emersion/go-smtp github.com/jackc/pgx/v5", ""},
	{"internal/inbound/trust", "it knows mails and DNS, and nothing of the desk", "", "blitiri.com.ar/go/spf github.com/emersion/go-msgauth golang.org/x/net/idna golang.org/x/net/publicsuffix", "net/http os os/exec database/sql log log/slog"},
	{"internal/inbound", "it accepts mail and knows neither where it is stored nor what becomes of it", "internal/attachment internal/blob internal/desk internal/fault internal/inbound/automatic internal/inbound/message internal/inbound/quote internal/inbound/trust internal/link internal/logging internal/loop internal/markup internal/smtpreply internal/text internal/ticket", "github.com/emersion/go-smtp golang.org/x/net/netutil", "net/http os os/exec database/sql"},
	{"internal/smtpreply", "it knows errors and SMTP only", "internal/fault", "github.com/emersion/go-smtp", "net/http os os/exec database/sql log log/slog"},
	{"internal/scan", "it knows scanners and nothing of the desk", "internal/fault", "", "os os/exec database/sql log log/slog"},
	{"internal/telemetry", "it measures what the others do, who know nothing of it", "internal/app internal/desk internal/fault internal/logging internal/outbox internal/policy internal/store internal/ticket", "github.com/go-logr/logr github.com/jackc/pgx/v5 github.com/prometheus/client_golang/prometheus go.opentelemetry.io/otel go.temporal.io/sdk/contrib/opentelemetry go.temporal.io/sdk/interceptor go.temporal.io/sdk/log go.temporal.io/sdk/workflow golang.org/x/net/http/httpguts", "os/exec database/sql"},
	{"examples/webhook", "an example stands alone", "", "", ""},
}

// wiring may import everything: it is where the programs are put together, and where the product is measured.
var wiring = []string{"cmd/supportdesk", "cmd/bench"}

func TestPackages_importOnlyWhatTheyMay(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range list(t) {
		path, _ := strings.CutPrefix(p.ImportPath, module)
		imports[path] = p.Imports
	}
	known := map[string]bool{strings.TrimSuffix(module, "/"): true}
	for _, path := range wiring {
		known[path] = true
	}
	for _, l := range layers {
		known[l.path] = true
		all, there := imports[l.path]
		if !there {
			t.Errorf("there is no package %s: its line guards nothing", l.path)
		}
		for _, dep := range all {
			if !l.allows(dep) {
				t.Errorf("%s imports %s: %s", l.path, dep, l.why)
			}
		}
		for _, dep := range append(strings.Fields(l.ours), strings.Fields(l.modules)...) {
			if !slices.ContainsFunc(all, func(i string) bool { return under(i, dep) || under(i, module+dep) }) {
				t.Errorf("%s may import %s and doesn't: its line is too wide", l.path, dep)
			}
		}
	}
	for path := range imports {
		if !known[path] && !strings.HasSuffix(path, "test") && !strings.Contains(path, "/testdata/") && path != "internal/e2e" {
			t.Errorf("package %s is in no layer: say what it may import", path)
		}
	}
}

func (l layer) allows(dep string) bool {
	if ours, is := strings.CutPrefix(dep, module); is {
		return slices.Contains(strings.Fields(l.ours), ours)
	}
	if first, _, _ := strings.Cut(dep, "/"); !strings.Contains(first, ".") {
		return !slices.Contains(strings.Fields(l.std), dep)
	}
	return slices.ContainsFunc(strings.Fields(l.modules), func(m string) bool { return under(dep, m) })
}

// under reports whether a package is another one or in its tree.
func under(dep, tree string) bool { return dep == tree || strings.HasPrefix(dep, tree+"/") }

func TestTheSoleUserOfTheTemporalClient_isDispatch(t *testing.T) {
	for _, p := range list(t) {
		for _, dep := range p.Imports {
			mayUse := strings.HasSuffix(p.ImportPath, "/internal/dispatch") || strings.HasSuffix(p.ImportPath, "/worker") ||
				strings.HasSuffix(p.ImportPath, "/cmd/bench") || // which measures Temporal alone
				strings.HasSuffix(p.ImportPath, "test") // helpers of tests, which nothing else imports
			if dep == "go.temporal.io/sdk/client" && !mayUse {
				t.Errorf("%s imports the Temporal client; internal/dispatch is there for that", p.ImportPath)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		all = append(all, p)
	}
}

// Helpers of tests start servers and forge state: no program may carry them.
func TestPrograms_carryNoHelpersOfTests(t *testing.T) {
	for _, p := range list(t) {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && strings.HasSuffix(dep, "test") && strings.HasPrefix(p.ImportPath, module+"cmd/") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// The check of Host headers exists twice, since Temporal's server is a module that imports nothing of this one.
func TestTheLoopbackCheck_isTheSameInBothModules(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(text), "\n") // without the package clause
		return strings.ReplaceAll(code, "loopbackOnly", "LoopbackOnly")
	}
	if read("internal/local/loopback.go") != read("temporal/loopback.go") {
		t.Error("internal/local/loopback.go and temporal/loopback.go differ")
	}
}
