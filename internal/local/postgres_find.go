package local

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
