package config_test

import (
	"log/slog"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/config"
)

const database = "postgres://desk@db/desk"

// load loads an environment with a database and the given variables.
func load(extra map[string]string) (config.Config, error) {
	return config.Load(func(key string) string {
		if value, ok := extra[key]; ok {
			return value
		}
		return map[string]string{"SUPPORTDESK_DATABASE_URL": database}[key]
	})
}

func TestLoad_requiresOnlyADatabase(t *testing.T) {
	got, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		DatabaseURL: database, DatabaseConns: 16,
		HTTPAddress: ":8080", HealthAddress: ":8081", MailHealth: ":8082", MetricsAddress: "off", BaseURL: "http://localhost:8080", NumberPrefix: "HM",
		SMTPHost: "localhost", SMTPPort: 587, OIDCName: "OpenID", SMTPTLS: "starttls", SMTPTimeout: 30 * time.Second,
		MailFrom: "Support <support@localhost>", MailDomain: "localhost", MailRate: 50,
		WorkerSteps: 16, WorkerMails: 8, ImmediateMails: true, WorkerTickets: 10000, WorkerDeployment: "supportdesk", WorkerPromotion: "automatic", EmergencyParallel: 16, FanoutRate: 2000, EmergencyDelay: time.Minute,
		ReconcileEvery: 15 * time.Second, ReconcileAfter: time.Minute, ReconcileRate: 50,
		ShutdownTimeout: 25 * time.Second, LogLevel: slog.LevelInfo, LogFormat: "text",
		LimitFactor: 1, IncomingMaxSize: 40 << 20, IncomingPerHost: 20,
		BlobURL: "file:///var/lib/supportdesk/blobs", FileMiB: 10, FileCount: 10, FilesMiB: 25, MailFilesMiB: 5,
		From: mail.Address{Name: "Support", Address: "support@localhost"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoad_readsEveryVariable(t *testing.T) {
	environment := map[string]string{
		"SUPPORTDESK_DATABASE_URL":        "postgres://other/desk",
		"SUPPORTDESK_DATABASE_CONNS":      "3",
		"TEMPORAL_ADDRESS":                "temporal:7233",
		"SUPPORTDESK_TEMPORAL_UI_URL":     "https://temporal.example",
		"SUPPORTDESK_HTTP_ADDRESS":        "127.0.0.1:1",
		"SUPPORTDESK_HEALTH_ADDRESS":      "off",
		"SUPPORTDESK_MAIL_HEALTH_ADDRESS": "127.0.0.1:2",
		"SUPPORTDESK_METRICS_ADDRESS":     "127.0.0.1:3",
		"SUPPORTDESK_BASE_URL":            "https://help.example/desk",
		"SUPPORTDESK_TRUSTED_PROXIES":     "10.0.0.1,192.168.0.0/16",
		"SUPPORTDESK_NUMBER_PREFIX":       "SHOP1",
		"SUPPORTDESK_ALLOWANCES":          "0",
		"SUPPORTDESK_SMTP_HOST":           "smtp.example",
		"SUPPORTDESK_SMTP_PORT":           "465",
		"SUPPORTDESK_SMTP_USERNAME":       "desk",
		"SUPPORTDESK_SMTP_PASSWORD":       "hunter2",
		"SUPPORTDESK_SMTP_TLS":            "implicit",
		"SUPPORTDESK_SMTP_TIMEOUT":        "5s",
		"SUPPORTDESK_MAIL_FROM":           "Help <help@shop.example>",
		"SUPPORTDESK_MAIL_DOMAIN":         "mail.shop.example",
		"SUPPORTDESK_MAILS_PER_SECOND":    "0.5",
		"SUPPORTDESK_DKIM_SELECTOR":       "desk2026",
		"SUPPORTDESK_DKIM_DOMAIN":         "shop.example",
		"SUPPORTDESK_DKIM_KEY_FILE":       "/run/secrets/dkim.pem",
		"SUPPORTDESK_BLOB_URL":            "s3://bucket?region=x",
		"SUPPORTDESK_FILE_MIB":            "3",
		"SUPPORTDESK_FILES":               "4",
		"SUPPORTDESK_FILES_MIB":           "5",
		"SUPPORTDESK_MAIL_FILES_MIB":      "6",

		"SUPPORTDESK_MAIL_ADDRESSES":           "Help@shop.example, orders@shop.example=order",
		"SUPPORTDESK_INCOMING_LMTP_ADDRESS":    ":24",
		"SUPPORTDESK_INCOMING_SMTP_ADDRESS":    ":25",
		"SUPPORTDESK_INCOMING_TLS_CERTIFICATE": "/run/secrets/certificate.pem",
		"SUPPORTDESK_INCOMING_TLS_KEY":         "/run/secrets/key.pem",
		"SUPPORTDESK_INCOMING_MAX_SIZE":        "65536",
		"SUPPORTDESK_INCOMING_HTTP_SECRET":     "0123456789abcdef",

		"SUPPORTDESK_INCOMING_CONNECTIONS_PER_HOST": "7",

		"SUPPORTDESK_IMAP_MAILBOXES": "in-box=imaps://help@imap.shop.example/INBOX",
		"SUPPORTDESK_AUTHSERV_ID":    "mx.shop.example",
		"SUPPORTDESK_INTERNAL_HOSTS": "mx.shop.example,10.0.0.0/8",
		"SUPPORTDESK_FORM_ADDRESSES": "form@shop.example,web@shop.example",
		"SUPPORTDESK_SCANNER_URL":    "clamd://clamd:3310",

		"SUPPORTDESK_WEBHOOKS":               "ops=https://ops.example/hook?key=a=b, watch-2=http://watch.internal:9000/",
		"SUPPORTDESK_WEBHOOK_HTTP_HOSTS":     "watch.internal",
		"SUPPORTDESK_OIDC_ISSUER":            "https://id.example",
		"SUPPORTDESK_OIDC_CLIENT_ID":         "desk",
		"SUPPORTDESK_OIDC_CLIENT_SECRET":     "hush",
		"SUPPORTDESK_OIDC_NAME":              "Shop ID",
		"SUPPORTDESK_WORKER_STEPS":           "1",
		"SUPPORTDESK_WORKER_MAILS":           "2",
		"SUPPORTDESK_WORKER_IMMEDIATE_MAILS": "false",
		"SUPPORTDESK_WORKER_TICKETS":         "4",
		"SUPPORTDESK_WORKER_DEPLOYMENT":      "desk",
		"SUPPORTDESK_WORKER_BUILD":           "v1",
		"SUPPORTDESK_WORKER_PROMOTION":       "manual",

		"SUPPORTDESK_EMERGENCY_PARALLEL":   "5",
		"SUPPORTDESK_EMERGENCY_PER_SECOND": "6.5",
		"SUPPORTDESK_EMERGENCY_SETTLE":     "0s",

		"SUPPORTDESK_RECONCILE_EVERY":      "7s",
		"SUPPORTDESK_RECONCILE_PATIENCE":   "8s",
		"SUPPORTDESK_RECONCILE_PER_SECOND": "9.5",

		"SUPPORTDESK_SHUTDOWN_TIMEOUT": "1m",
		"SUPPORTDESK_LOG_LEVEL":        "debug",
		"SUPPORTDESK_LOG_FORMAT":       "json",
	}
	environment["SUPPORTDESK_IMAP_PASSWORD_IN_BOX"] = "hunter3"
	environment["SUPPORTDESK_WEBHOOK_SECRET_OPS"] = "0123456789abcdef"
	environment["SUPPORTDESK_WEBHOOK_SECRET_WATCH_2"] = "fedcba9876543210"
	params, err := env.GetFieldParams(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		if environment[p.Key] == "" {
			t.Errorf("%s is not tested", p.Key)
		}
	}
	got, err := load(environment)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		DatabaseURL: "postgres://other/desk", DatabaseConns: 3,
		TemporalAddress: "temporal:7233", TemporalUIURL: "https://temporal.example", HTTPAddress: "127.0.0.1:1", HealthAddress: "off", MailHealth: "127.0.0.1:2", MetricsAddress: "127.0.0.1:3", BaseURL: "https://help.example/desk",
		TrustedProxies: []string{"10.0.0.1", "192.168.0.0/16"}, NumberPrefix: "SHOP1",
		SMTPHost: "smtp.example", SMTPPort: 465, SMTPUsername: "desk", SMTPPassword: "hunter2",
		SMTPTLS: "implicit", SMTPTimeout: 5 * time.Second,
		MailFrom: "Help <help@shop.example>", MailDomain: "mail.shop.example", MailRate: 0.5,
		DKIMSelector: "desk2026", DKIMDomain: "shop.example", DKIMKeyFile: "/run/secrets/dkim.pem",
		BlobURL: "s3://bucket?region=x", FileMiB: 3, FileCount: 4, FilesMiB: 5, MailFilesMiB: 6,
		MailAddresses: []string{"Help@shop.example", " orders@shop.example=order"}, ReplyAddress: "help@shop.example",
		Mailboxes:    map[string]string{"help@shop.example": "", "orders@shop.example": "order"},
		IncomingLMTP: ":24", IncomingSMTP: ":25", IncomingCert: "/run/secrets/certificate.pem", IncomingKey: "/run/secrets/key.pem",
		IncomingMaxSize: 65536, IncomingPerHost: 7, IncomingSecret: "0123456789abcdef", AuthServID: "mx.shop.example", InternalHosts: []string{"mx.shop.example", "10.0.0.0/8"},
		FormAddresses: []string{"form@shop.example", "web@shop.example"}, ScannerURL: "clamd://clamd:3310",
		IMAPMailboxes: []string{"in-box=imaps://help@imap.shop.example/INBOX"},
		ParsedIMAP: []config.IMAPMailbox{{
			Name: "in-box", Scheme: "imaps", Server: "imap.shop.example:993", User: "help", Folder: "INBOX", Password: "hunter3",
		}},
		Webhooks: []string{"ops=https://ops.example/hook?key=a=b", " watch-2=http://watch.internal:9000/"}, WebhookHTTPHosts: []string{"watch.internal"},
		ParsedWebhooks: map[string]config.Webhook{
			"ops":     {URL: "https://ops.example/hook?key=a=b", Secret: "0123456789abcdef"},
			"watch-2": {URL: "http://watch.internal:9000/", Secret: "fedcba9876543210"},
		},
		OIDCIssuer: "https://id.example", OIDCClientID: "desk", OIDCClientSecret: "hush", OIDCName: "Shop ID",
		WorkerSteps: 1, WorkerMails: 2, WorkerTickets: 4, WorkerDeployment: "desk", WorkerBuild: "v1", WorkerPromotion: "manual", EmergencyParallel: 5, FanoutRate: 6.5,
		ReconcileEvery: 7 * time.Second, ReconcileAfter: 8 * time.Second, ReconcileRate: 9.5,
		ShutdownTimeout: time.Minute, LogLevel: slog.LevelDebug, LogFormat: "json",
		From: mail.Address{Name: "Help", Address: "help@shop.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// bad has invalid values of each variable.
var bad = map[string][]string{
	"SUPPORTDESK_DATABASE_URL":        {""},
	"SUPPORTDESK_DATABASE_CONNS":      {"0", "-1", "many", "2147483648"},
	"SUPPORTDESK_HTTP_ADDRESS":        {"8080", "off", "::1:80", ":bad", ":99999", ":", "127.0.0.1:80/"},
	"SUPPORTDESK_HEALTH_ADDRESS":      {"8081", "OFF"},
	"SUPPORTDESK_MAIL_HEALTH_ADDRESS": {"8082", "OFF", ":bad"},
	"SUPPORTDESK_METRICS_ADDRESS":     {":bad", "9464", ":-1", "http://127.0.0.1:9464", "127.0.0.1:9464/metrics"},
	"TEMPORAL_ADDRESS":                {"temporal", "temporal:bad"},
	"SUPPORTDESK_BASE_URL":            {"help.example", "ftp://help.example", "https://", "http://%zz"},
	"SUPPORTDESK_TEMPORAL_UI_URL":     {"temporal.example", "javascript:alert(1)"},
	"SUPPORTDESK_NUMBER_PREFIX":       {"hm", "H-M", "TOOLONGPX"},
	"SUPPORTDESK_ALLOWANCES":          {"-1", "1001", "0.5", "many"},
	"SUPPORTDESK_SMTP_PORT":           {"0", "-25", "smtp", "65536"},
	"SUPPORTDESK_SMTP_TLS":            {"NONE", "yes"},
	"SUPPORTDESK_SMTP_TIMEOUT":        {"0s", "-1s", "30", "2m1s", "1h"},
	"SUPPORTDESK_MAIL_FROM":           {"support", "Support <support@>"},
	"SUPPORTDESK_MAILS_PER_SECOND":    {"0", "-1", "fast", "NaN", "Inf"},
	"SUPPORTDESK_WORKER_STEPS":        {"0", "1.5"},
	"SUPPORTDESK_BLOB_URL":            {"/var/lib/blobs", "http://bucket", "file:/%zz"},
	"SUPPORTDESK_FILE_MIB":            {"0", "-1", "x"},
	"SUPPORTDESK_FILES":               {"0", "101", "x"},
	"SUPPORTDESK_FILES_MIB":           {"1025", "x"},
	"SUPPORTDESK_MAIL_FILES_MIB":      {"-1", "51", "x"},

	"SUPPORTDESK_MAIL_ADDRESSES":    {"support", "Support <support@shop.example>", "support+x@shop.example", "a@shop.example,b"},
	"SUPPORTDESK_INCOMING_MAX_SIZE": {"0", "65535", "-1", "x"},

	"SUPPORTDESK_INCOMING_CONNECTIONS_PER_HOST": {"0", "101", "-1", "x"},

	"SUPPORTDESK_WORKER_MAILS":           {"0", "x"},
	"SUPPORTDESK_WORKER_IMMEDIATE_MAILS": {"x"},
	"SUPPORTDESK_WORKER_TICKETS":         {"-1", "x"},
	"SUPPORTDESK_WORKER_DEPLOYMENT":      {"a.b", "a:b", "__desk", strings.Repeat("x", 481), "desk ", "a\nb", "\xff"},
	"SUPPORTDESK_WORKER_BUILD":           {"unversioned", "__v1", strings.Repeat("x", 481), " v1", "a\tb", "\xff"},
	"SUPPORTDESK_WORKER_PROMOTION":       {"never"},

	"SUPPORTDESK_EMERGENCY_PARALLEL":   {"0", "x"},
	"SUPPORTDESK_EMERGENCY_PER_SECOND": {"0", "-1", "NaN", "Inf"},
	"SUPPORTDESK_EMERGENCY_SETTLE":     {"-1s", "x"},
	"SUPPORTDESK_RECONCILE_EVERY":      {"0s", "-1s", "often"},
	"SUPPORTDESK_RECONCILE_PATIENCE":   {"0s", "-1s", "1"},
	"SUPPORTDESK_RECONCILE_PER_SECOND": {"0", "-1", "NaN", "Inf"},

	"SUPPORTDESK_SHUTDOWN_TIMEOUT": {"0s", "soon"},
	"SUPPORTDESK_LOG_LEVEL":        {"loud"},
	"SUPPORTDESK_LOG_FORMAT":       {"xml"},
}

func TestLoad_rejectsInvalidValues(t *testing.T) {
	for name, values := range bad {
		for _, value := range values {
			_, err := load(map[string]string{name: value})
			if err == nil {
				t.Errorf("%s=%q was accepted", name, value)
				continue
			}
			if lines := problems(err); len(lines) != 1 || !names(lines[0], name) {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}

func TestLoad_saysWhatABooleanMayBe(t *testing.T) {
	_, err := load(map[string]string{"SUPPORTDESK_WORKER_IMMEDIATE_MAILS": "maybe"})
	if want := `SUPPORTDESK_WORKER_IMMEDIATE_MAILS is not true or false: "maybe"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

func TestLoad_acceptsTheVersionsThatTemporalDoes(t *testing.T) {
	longest := strings.Repeat("x", 480)
	for _, build := range []string{"v1.2.3", "a:b", "v1.2.3+dirty", longest} {
		c, err := load(map[string]string{"SUPPORTDESK_WORKER_DEPLOYMENT": longest, "SUPPORTDESK_WORKER_BUILD": build})
		if err != nil || c.WorkerBuild != build {
			t.Errorf("%s: %v", build, err)
		}
	}
}

func TestLoad_reportsEveryProblem(t *testing.T) {
	for i := range 2 { // the first and the second bad value of each
		environment := map[string]string{}
		for name, values := range bad {
			environment[name] = values[min(i, len(values)-1)]
		}
		_, err := load(environment)
		if err == nil {
			t.Fatal("no error")
		}
		for name := range bad {
			if !names(err.Error(), name) {
				t.Errorf("%s=%q is not reported: %v", name, environment[name], err)
			}
		}
		if _, again := load(environment); again == nil || again.Error() != err.Error() {
			t.Errorf("different errors for the same environment:\n%v\n%v", err, again)
		}
	}
}

func TestLoad_doesNotRevealThePassword(t *testing.T) {
	_, err := load(map[string]string{"SUPPORTDESK_SMTP_PASSWORD": "hunter2", "SUPPORTDESK_SMTP_PORT": "0"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func problems(err error) []string { return strings.Split(err.Error(), "\n") }

// names reports whether a message names the variable and no identifiers of the program.
func names(message, variable string) bool {
	return strings.Contains(message, variable) && !strings.Contains(message, "parse error") && !strings.Contains(message, "strconv")
}

func TestLoad_validatesAddresses(t *testing.T) {
	_, err := load(map[string]string{
		"SUPPORTDESK_DATABASE_URL": "foo", "SUPPORTDESK_TRUSTED_PROXIES": "10.0.0.1,zz", "TEMPORAL_ADDRESS": "::::",
	})
	for _, want := range []string{
		"SUPPORTDESK_DATABASE_URL is not a postgres:// URL", `SUPPORTDESK_TRUSTED_PROXIES is not a list of addresses or networks: "zz"`,
		`TEMPORAL_ADDRESS is not host:port: "::::"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestLoad_requiresCompleteOpenIDSettings(t *testing.T) {
	_, err := load(map[string]string{"SUPPORTDESK_OIDC_ISSUER": "id.example"})
	for _, want := range []string{
		`SUPPORTDESK_OIDC_ISSUER is not an http or https URL: "id.example"`, "SUPPORTDESK_OIDC_CLIENT_ID is required",
		"SUPPORTDESK_OIDC_CLIENT_SECRET is required",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestLoad_validatesWebhooks(t *testing.T) {
	const secret = "SUPPORTDESK_WEBHOOK_SECRET_OPS"
	for name, c := range map[string]struct{ hooks, secret, want string }{
		"no name":             {"https://ops.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has an entry that is not NAME=URL"},
		"a bad name":          {"Ops=https://ops.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has an entry that is not NAME=URL"},
		"no address":          {"ops=ops.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has no http or https URL for ops"},
		"another scheme":      {"ops=file:///etc/passwd", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has no http or https URL for ops"},
		"twice":               {"ops=https://a.example,ops=https://b.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS names ops twice"},
		"in clear":            {"ops=http://ops.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has a URL for ops that is not https"},
		"a name for loopback": {"ops=http://127.0.0.1.ops.example", "0123456789abcdef", "SUPPORTDESK_WEBHOOKS has a URL for ops that is not https"},
		"no secret":           {"ops=https://ops.example", "", secret + " must have at least 16 characters"},
		"a short secret":      {"ops=https://ops.example", "hunter2", secret + " must have at least 16 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(map[string]string{"SUPPORTDESK_WEBHOOKS": c.hooks, secret: c.secret})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if c.secret != "" && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the error contains the secret: %v", err)
			}
		})
	}
	for _, address := range []string{"http://localhost:9000/hook", "http://127.0.0.1:9000", "http://[::1]/", "https://ops.example"} {
		if _, err := load(map[string]string{"SUPPORTDESK_WEBHOOKS": "ops=" + address, secret: "0123456789abcdef"}); err != nil {
			t.Errorf("%s was rejected: %v", address, err)
		}
	}
}

func TestLoad_signsMailsCompletelyOrNotAtAll(t *testing.T) {
	selector, file := map[string]string{"SUPPORTDESK_DKIM_SELECTOR": "desk"}, map[string]string{"SUPPORTDESK_DKIM_KEY_FILE": "/key.pem"}
	if _, err := load(selector); err == nil || !names(err.Error(), "SUPPORTDESK_DKIM_KEY_FILE") {
		t.Errorf("without a key: %v", err)
	}
	if _, err := load(file); err == nil || !names(err.Error(), "SUPPORTDESK_DKIM_SELECTOR") {
		t.Errorf("without a selector: %v", err)
	}
	if _, err := load(map[string]string{"SUPPORTDESK_DKIM_DOMAIN": "shop.example"}); err == nil {
		t.Error("a domain alone is accepted")
	}
	selector["SUPPORTDESK_DKIM_KEY_FILE"], selector["SUPPORTDESK_MAIL_FROM"] = "/key.pem", "help@shop.example"
	if c, err := load(selector); err != nil || c.DKIMDomain != "shop.example" {
		t.Errorf("the domain is %q, %v", c.DKIMDomain, err)
	}
}
