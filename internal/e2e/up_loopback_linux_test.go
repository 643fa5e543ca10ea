package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// TestUp_listensOnThisMachineOnly tries every socket that any process of up listens at, found in the kernel's
// tables, so that one that is added later is tried as well.
func TestUp_listensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	u := up(t, upDir(t))
	sockets := u.listening(t)
	var web []string
	for _, socket := range sockets {
		if !socket.Addr().IsLoopback() {
			t.Errorf("%s is reachable from elsewhere", socket)
		}
		if ask(t, socket, "GET / HTTP/1.1", "Host: "+socket.String()).status == 0 {
			continue
		}
		web = append(web, socket.String())
		port := fmt.Sprint(socket.Port())
		for _, own := range []string{"localhost:" + port, "LOCALHOST.:" + port, "localhost:9", "[::1]:" + port, "127.0.0.1"} {
			if a := ask(t, socket, "GET / HTTP/1.1", "Host: "+own); a.status >= 400 && a.status != http.StatusNotFound {
				t.Errorf("%s as %s: %v", socket, own, a)
			}
		}
		for _, path := range []string{"/", "/dev/mail", "/dev/mail.json", "/api/v1/namespaces", "/healthz"} {
			for _, foreign := range []answered{
				ask(t, socket, "GET "+path+" HTTP/1.1", "Host: evil.example"),
				ask(t, socket, "GET "+path+" HTTP/1.1", "Host: evil.example:"+port),
				ask(t, socket, "GET "+path+" HTTP/1.1", "Host: localhost.evil.example:"+port),
				ask(t, socket, "GET http://evil.example"+path+" HTTP/1.1", "Host: 127.0.0.1:"+port),
				ask(t, socket, "GET "+path+" HTTP/1.0"),
				ask(t, socket, "POST "+path+" HTTP/1.1", "Host: evil.example", "Content-Length: 0"),
			} {
				if foreign.status != http.StatusMisdirectedRequest || !strings.HasPrefix(foreign.body, "This address answers only to") {
					t.Errorf("%s%s for a page on another name: %v", socket, path, foreign)
				}
			}
		}
	}
	for _, name := range []string{"Website", "Temporal UI"} {
		if address := u.find(t, name+` +http://([0-9.:]+)`); !slices.Contains(web, address) {
			t.Errorf("the %s at %s is not among %v", name, address, web)
		}
	}
	if len(web) != 5 || len(sockets) != 12 { // the mailbox's pages and two health checks; PostgreSQL, SMTP both ways and Temporal's four gRPC services
		t.Errorf("up listens at %v, and at %v for browsers: is the new one meant to be there?", sockets, web)
	}
	u.takesNoForeignRequests(t)
	u.takesNoMailFromPages(t)
}

// takesNoForeignRequests is about requests that another site's page sends to the right name, which needs no rebinding.
func (u *upRun) takesNoForeignRequests(t *testing.T) {
	t.Helper()
	customer := u.person(t, "customer")
	number := customer.submit("My parcel is late", "words")
	ui := netip.MustParseAddrPort(u.find(t, `Temporal UI +http://([0-9.:]+)`))
	path := "/api/v1/namespaces/default/workflows/" + number
	workflow := func() answered { return ask(t, ui, "GET "+path+" HTTP/1.1", "Host: "+ui.String()) }
	eventually(t, "the workflow runs", func() (bool, string) {
		a := workflow()
		return strings.Contains(a.body, "WORKFLOW_EXECUTION_STATUS_RUNNING"), a.body
	})
	for _, headers := range [][]string{
		{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site"},
		{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site", "Authorization: Basic YTpi"},
		{"Origin: http://localhost:1", "Sec-Fetch-Site: same-site", "Authorization: Basic YTpi"},
		{"Origin: http://evil.example", "Authorization: Basic YTpi"}, // a browser without Sec-Fetch-Site
	} {
		request := append(headers, "Host: "+ui.String(), "Content-Type: text/plain", "Content-Length: 2", "", "{}")
		if a := ask(t, ui, "POST "+path+"/terminate HTTP/1.1", request...); a.status != http.StatusForbidden {
			t.Errorf("%q: %v", headers, a)
		}
		if a := ask(t, ui, "OPTIONS "+path+"/terminate HTTP/1.1", append(headers, "Host: "+ui.String(), "Access-Control-Request-Method: POST")...); a.allows {
			t.Errorf("%q: the preflight is granted: %v", headers, a)
		}
	}
	if a := workflow(); !strings.Contains(a.body, "WORKFLOW_EXECUTION_STATUS_RUNNING") {
		t.Errorf("the workflow of %s is %s", number, a.body)
	}
}

// takesNoMailFromPages posts to SMTP's port, which browsers don't block as they do 25, a body that is a mail.
func (u *upRun) takesNoMailFromPages(t *testing.T) {
	t.Helper()
	smtp := netip.MustParseAddrPort(u.find(t, `SMTP at ([0-9.:]+)`))
	mail := "HELO a\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<customer@demo.example>\r\nDATA\r\nSubject: forged\r\n\r\nforged\r\n.\r\n"
	ask(t, smtp, "POST / HTTP/1.1", "Host: "+smtp.String(), "Connection: keep-alive", fmt.Sprintf("Content-Length: %d", len(mail)),
		"User-Agent: browser", "Origin: http://evil.example", "", mail)
	response, err := http.Get(u.find(t, `Mailbox +(http://[0-9.:]+/dev/mail)`) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if mails, err := io.ReadAll(response.Body); err != nil || strings.Contains(string(mails), "forged") {
		t.Errorf("a page can put mails into the mailbox: %v", err)
	}
}

// In a browser: what a page on a rebound name gets of the mailbox, where the links are that sign in.
func TestUp_answersNoReboundPage(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	u := up(t, upDir(t))
	site := u.find(t, `Website +http://127\.0\.0\.1(:\d+)/`)
	ui := u.find(t, `Temporal UI +http://127\.0\.0\.1(:\d+)`)
	for _, port := range []string{site, ui} {
		evil := browsertest.Open(t, "http://evil."+browsertest.Rebound+port, browsertest.Look{})
		evil.Forgive("421")
		for _, path := range []string{"/dev/mail", "/dev/mail.json", "/sign-in", "/api/v1/namespaces"} {
			evil.Goto(path)
			evil.See("This address answers only to the names 127.0.0.1, [::1] and localhost.")
		}
		own := browsertest.Open(t, "http://localhost"+port, browsertest.Look{})
		own.Goto("/")
		own.SeeNot("This address answers only to")
	}
	own := browsertest.Open(t, "http://localhost"+ui, browsertest.Look{})
	own.Goto("/namespaces/default/workflows")
	own.See("Workflows", "emergency")
}

// listening are the addresses that up and the processes below it listen at.
func (u *upRun) listening(t *testing.T) []netip.AddrPort {
	t.Helper()
	inodes := map[string]bool{}
	for _, p := range append(descendants(t, u.program.PID()), descendant{pid: u.program.PID()}) {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if target, err := os.Readlink(file); err == nil {
				inodes[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
			}
		}
	}
	var found []netip.AddrPort
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if errors.Is(err, os.ErrNotExist) { // without IPv6
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			const listen = "0A"
			if fields := strings.Fields(line); len(fields) > 9 && fields[3] == listen && inodes[fields[9]] {
				found = append(found, kernelAddress(t, fields[1]))
			}
		}
	}
	return found
}

// kernelAddress reads an address as proc(5) writes it: words of four bytes in the machine's order, taken here to be
// little-endian, and the port.
func kernelAddress(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	digits, portDigits, _ := strings.Cut(text, ":")
	port, err := strconv.ParseUint(portDigits, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	var bytes []byte
	for word := range slices.Chunk([]byte(digits), 8) {
		n, err := strconv.ParseUint(string(word), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		bytes = append(bytes, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	address, ok := netip.AddrFromSlice(bytes)
	if !ok {
		t.Fatalf("read the address %s", text)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port))
}

// answered is an HTTP answer; its status is 0 where what listens speaks no HTTP/1.
type answered struct {
	status int
	body   string
	allows bool // another origin, by CORS
}

func (a answered) String() string { return fmt.Sprintf("%d %.200q", a.status, a.body) }

// ask sends a request as it stands. Lines end the header unless they hold an empty one, after which they are the body.
func ask(t *testing.T, to netip.AddrPort, request string, lines ...string) answered {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(append([]string{request}, lines...), "\r\n")
	if !slices.Contains(lines, "") {
		text += "\r\n\r\n"
	}
	_, _ = io.WriteString(conn, text) // some hang up at the first line
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return answered{}
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // as much as there is
	return answered{response.StatusCode, string(body), response.Header.Get("Access-Control-Allow-Origin") != ""}
}
