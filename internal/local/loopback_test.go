package local_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

func TestLoopbackOnly_answersToNamesOfThisMachine(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(local.LoopbackOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
	})))
	t.Cleanup(server.Close)
	const yes, no = http.StatusOK, http.StatusMisdirectedRequest
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080":                      yes,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1":                           yes,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1.:8080":                     yes,
		"GET / HTTP/1.1\r\nHost: localhost:9999":                      yes, // through a tunnel
		"GET / HTTP/1.1\r\nHost: LocalHost.":                          yes,
		"GET / HTTP/1.1\r\nHost: [::1]:8080":                          yes,
		"GET / HTTP/1.1\r\nHost: [::1]":                               yes,
		"GET http://localhost:8080/ HTTP/1.1\r\nHost: localhost:8080": yes,

		"GET / HTTP/1.1\r\nHost: evil.example":                            no,
		"GET / HTTP/1.1\r\nHost: evil.example:8080":                       no,
		"GET / HTTP/1.1\r\nHost: localhost.evil.example:8080":             no,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example":                  no,
		"GET / HTTP/1.1\r\nHost: evil-localhost":                          no,
		"GET / HTTP/1.1\r\nHost: localhost..":                             no,
		"GET / HTTP/1.1\r\nHost: 0.0.0.0:8080":                            no,
		"GET / HTTP/1.1\r\nHost: 192.168.0.7:8080":                        no,
		"GET / HTTP/1.1\r\nHost: 127.1:8080":                              no,
		"GET / HTTP/1.1\r\nHost: localhost:80:80":                         no,
		"GET / HTTP/1.1\r\nHost:":                                         no,
		"GET / HTTP/1.0":                                                  no,
		"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:8080":       no, // the target goes before the header
		"GET http://evil.example:8080/ HTTP/1.0":                          no,
		"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0":      no,
		"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: [::1]": no,
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprint(conn, request, "\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		page, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
		_ = conn.Close()
		if answer.StatusCode != want {
			t.Errorf("%q: %s", request, answer.Status)
		}
		if want == no && !strings.Contains(string(page), "answers only to the names 127.0.0.1, [::1] and localhost.") {
			t.Errorf("%q: %q", request, page)
		}
	}
}
