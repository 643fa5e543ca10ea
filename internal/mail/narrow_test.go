package mail_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// No address, link or name widens an email beyond a phone's screen.
func TestRender_fitsANarrowScreen(t *testing.T) {
	browsertest.Require(t)
	golden := os.DirFS("testdata/golden")
	server := httptest.NewServer(http.FileServerFS(golden))
	t.Cleanup(server.Close)
	p := browsertest.Open(t, server.URL, browsertest.Look{Width: 320, Height: 640})
	p.Forgive("404") // an icon of the site
	err := fs.WalkDir(golden, ".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, "-by-email.html") || strings.HasSuffix(path, ".html") && strings.Contains(path, "/") {
			p.Goto("/" + path)
			if wide := p.Overflow(); len(wide) > 0 {
				t.Errorf("%s: %s", path, wide)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
