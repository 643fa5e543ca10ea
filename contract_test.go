package supportdesk_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// contracts are the recorded forms of what clients rely on: the API, what is signalled, updated and queried in Temporal,
// the routes of pages, the policy document and the JSON of the mailbox of up.
var contracts = []string{
	"api/testdata/openapi.json",
	"cmd/supportdesk/testdata/routes.golden",
	"internal/local/testdata/mailbox.golden",
	"internal/policy/testdata/contract.golden",
	"workflows/testdata/contract.golden",
}

// A contract changes together with a line that says so: the newest section of the CHANGELOG names the digest of today's.
func TestContract_aChangeHasALineInTheChangelog(t *testing.T) {
	sum := sha256.New()
	for _, file := range contracts {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(text)
	}
	digest := hex.EncodeToString(sum.Sum(nil))[:12]
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.SplitN(string(changelog), "\n## ", 3)
	if len(sections) < 2 || !strings.Contains(sections[1], "contract "+digest) {
		t.Errorf("a contract has changed: say in the newest section of CHANGELOG.md what did, with \"contract %s\"", digest)
	}
}
