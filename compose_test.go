package supportdesk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v4"

	"github.com/holesalemart/supportdesk/internal/config"
)

// substitution is a variable of the caller with a default, as Compose reads it. The tests have none set.
var substitution = regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`)

// composition is as much of docker-compose.yml as the tests look at.
type composition struct {
	Services map[string]service
	Networks map[string]any
	Volumes  map[string]any
	Configs  map[string]any
}

type service struct {
	Image       string
	Build       any
	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Networks    []string
	Restart     string
	Grace       string `yaml:"stop_grace_period"`
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

// job reports whether a service runs to its end instead of staying.
func (s service) job() bool { return s.Restart == "no" }

func composeFile(t *testing.T) composition {
	t.Helper()
	var c composition
	if err := yaml.Unmarshal(substitution.ReplaceAll(read(t, "docker-compose.yml"), []byte("$1")), &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "temporal", "temporal-ui", "mailpit", "migrate", "api", "worker"} {
		if _, ok := c.Services[name]; !ok {
			t.Fatalf("docker-compose.yml has no service %s", name)
		}
	}
	return c
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCompose_waitsForWhatItNeeds(t *testing.T) {
	c := composeFile(t)
	awaited := map[string]bool{}
	for name, s := range c.Services {
		if len(s.Healthcheck.Test) == 0 && !s.job() {
			t.Errorf("%s stays and has no health check", name)
		}
		if s.Restart != "no" && s.Restart != "unless-stopped" {
			t.Errorf("%s has the restart policy %q", name, s.Restart)
		}
		for needed, how := range s.DependsOn {
			of, ok := c.Services[needed]
			if !ok {
				t.Errorf("%s needs %s, which does not exist", name, needed)
			}
			want := "service_healthy"
			if of.job() {
				want = "service_completed_successfully"
			}
			if how.Condition != want {
				t.Errorf("%s waits until %s is %q, not %q", name, needed, how.Condition, want)
			}
			awaited[needed] = true
		}
	}
	for name, s := range c.Services {
		// `up --wait` takes the end of a job that no one awaits for a failure.
		if s.job() && !awaited[name] {
			t.Errorf("no service waits for %s", name)
		}
	}
}

func TestCompose_declaresWhatItMounts(t *testing.T) {
	c := composeFile(t)
	for name, s := range c.Services {
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s mounts the volume %s, which is not declared", name, source)
			}
		}
		for _, network := range s.Networks {
			if _, ok := c.Networks[network]; !ok {
				t.Errorf("%s joins the network %s, which is not declared", name, network)
			}
		}
	}
}

func TestCompose_pinsItsImages(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z/-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$`)
	for name, s := range composeFile(t).Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s runs %q, which may be another image tomorrow", name, s.Image)
		}
	}
}

func TestCompose_publishesOnTheLoopbackOnly(t *testing.T) {
	may := []string{"api", "temporal-ui", "mailpit"}
	for name, s := range composeFile(t).Services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") || !slices.Contains(may, name) {
				t.Errorf("%s publishes %s", name, port)
			}
		}
	}
}

func TestCompose_holdsNoSecret(t *testing.T) {
	secret := regexp.MustCompile(`(?i)passw|secret|token|pwd|api_?key`)
	for name, s := range composeFile(t).Services {
		for key, value := range s.Environment {
			if secret.MatchString(key) && !(strings.HasSuffix(key, "_FILE") && strings.HasPrefix(value, "/secrets/")) {
				t.Errorf("%s gets %s in clear", name, key)
			}
		}
	}
	for _, file := range []string{"docker-compose.yml", "Dockerfile"} {
		if found := regexp.MustCompile(`://[^/@:\s]*:[^/@\s]+@`).Find(read(t, file)); found != nil {
			t.Errorf("%s has an address with a password: %s", file, found)
		}
	}
}

func TestCompose_configuresTheProgram(t *testing.T) {
	params, err := env.GetFieldParams(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"TEMPORAL_ADDRESS": true, "TEMPORAL_NAMESPACE": true}
	for _, p := range params {
		known[p.Key] = true
	}
	services := composeFile(t).Services
	for _, name := range []string{"migrate", "api", "worker", "mail"} {
		s := services[name]
		for key := range s.Environment {
			if !known[key] {
				t.Errorf("%s gets %s, which the program does not read", name, key)
			}
		}
		c, err := config.Load(func(key string) string { return s.Environment[key] })
		if err != nil {
			t.Errorf("%s would not start: %v", name, err)
			continue
		}
		if s.job() {
			continue
		}
		if _, set := s.Environment["SUPPORTDESK_METRICS_ADDRESS"]; !set || c.MetricsAddress != "off" {
			t.Errorf("%s serves metrics at %q, and not where the caller says", name, c.MetricsAddress)
		}
		if grace, err := time.ParseDuration(s.Grace); err != nil || grace <= c.ShutdownTimeout {
			t.Errorf("%s is killed after %q, and may drain for %v", name, s.Grace, c.ShutdownTimeout)
		}
	}
}

// The volumes of the secrets are folders here; the script is the one that the service runs.
func TestCompose_drawsSecretsOnce(t *testing.T) {
	services, dir := composeFile(t).Services, t.TempDir()
	for _, owner := range []string{"postgres", "temporal", "supportdesk"} {
		if err := os.Mkdir(filepath.Join(dir, owner), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	draw := func() {
		t.Helper()
		script := strings.ReplaceAll(services["secrets"].Command[0], "$$", "$")
		drawing := exec.Command("bash", "-euo", "pipefail", "-c", script)
		drawing.Dir = dir
		if out, err := drawing.CombinedOutput(); err != nil {
			t.Fatalf("draw the secrets: %v\n%s", err, out)
		}
	}
	password := func(owner string) string { return string(read(t, filepath.Join(dir, owner, "password"))) }

	// A start that was killed half way has left an empty file.
	if err := os.WriteFile(filepath.Join(dir, "temporal", "password"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	draw()
	first := map[string]bool{}
	for _, owner := range []string{"postgres", "temporal", "supportdesk"} {
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(password(owner)) || first[password(owner)] {
			t.Errorf("the secret of %s is %q", owner, password(owner))
		}
		first[password(owner)] = true
	}
	draw()
	for _, owner := range []string{"postgres", "temporal", "supportdesk"} {
		if !first[password(owner)] {
			t.Errorf("the second start drew another secret for %s", owner)
		}
	}
	address := strings.ReplaceAll(services["api"].Environment["SUPPORTDESK_DATABASE_URL"], "/secrets/", filepath.Join(dir, "supportdesk")+"/")
	conn, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	if conn.Password != password("supportdesk") {
		t.Errorf("the program would sign in with %q, not with its secret", conn.Password)
	}
}

func TestDockerignore_letsInWhatTheProgramIsBuiltFrom(t *testing.T) {
	allowed := strings.Fields(string(read(t, ".dockerignore")))
	program := false
	for _, p := range list(t) {
		if p.ImportPath != module+"cmd/supportdesk" {
			continue
		}
		program = true
		for _, dep := range append(p.Deps, p.ImportPath) {
			if folder, ours := strings.CutPrefix(dep, module); ours {
				folder, _, _ = strings.Cut(folder, "/")
				if !slices.Contains(allowed, "!"+folder) {
					t.Errorf("the program needs %s, and the image's build does not get it", dep)
				}
			}
		}
	}
	if !program {
		t.Error("there is no program")
	}
}
