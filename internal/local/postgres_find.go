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

// installations are where systems put PostgreSQL without putting it on PATH.
var installations = []string{
	"/usr/lib/postgresql/*/bin",            // Debian, Ubuntu
	"/usr/pgsql-*/bin",                     // Red Hat
	"/opt/homebrew/opt/postgresql@*/bin",   // macOS
	"/usr/local/opt/postgresql@*/bin",      // macOS on Intel
	"/Applications/Postgres.app/*/*/*/bin", // macOS
}

// findPostgres gives a directory with postgres and initdb. bin, or SUPPORTDESK_POSTGRES_BIN, is the only place
// looked at when given; else PATH, the usual installations from the newest, then what was fetched before or can
// be fetched now. major restricts it to the version that wrote the data; 0 takes any from 15 on.
func findPostgres(ctx context.Context, bin string, major int, log io.Writer) (string, error) {
	if bin == "" {
		bin = os.Getenv("SUPPORTDESK_POSTGRES_BIN")
	}
	if bin != "" {
		got := versionIn(ctx, bin)
		switch {
		case got == 0:
			return "", fault.New(fault.Unavailable, "%s holds no postgres and initdb that can run", bin)
		case !fits(got, major):
			return "", fault.New(fault.Conflict, "%s is PostgreSQL %d, and %s is needed", bin, got, wanted(major))
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

// candidates are the directories that may hold PostgreSQL, best first.
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

// numberIn is the last number in a path, such as the 15 of /usr/lib/postgresql/15/bin.
func numberIn(path string) int {
	all := number.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1]) // digits; one too long for an int sorts last
	return n
}

// versionIn is the major version of the PostgreSQL in bin, 0 when there is none that runs.
func versionIn(ctx context.Context, bin string) int {
	if info, err := os.Stat(filepath.Join(bin, "initdb")); err != nil || info.IsDir() {
		return 0
	}
	said, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(number.FindString(string(said))) // no number is no version
	return major
}
