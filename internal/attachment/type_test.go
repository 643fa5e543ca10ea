package attachment_test

import (
	"bytes"
	"mime"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/attachment"
)

const (
	svgWithScript = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(document.cookie)</script></svg>`
	pdfWithScript = "%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>"
)

func TestDetect_believesTheContent(t *testing.T) {
	jpegStart := "\xff\xd8\xff\xe0\x00\x10JFIF\x00"
	for _, c := range []struct {
		content, declared, name string
		want                    attachment.Type
		served                  string
	}{
		{"%PDF-1.4\n", "text/plain", "a.txt", "application/pdf", "application/pdf"},
		{pdfWithScript, "application/pdf", "a.pdf", "application/pdf", "application/pdf"},
		{"just words", "", "", "text/plain", "text/plain"},
		{"just words", "image/png", "a.png", "text/plain", "text/plain"},
		{"just words", "text/html", "a.html", "text/plain", "text/plain"},
		{"a;b\n1;2\n", "", "A.CSV", "text/csv", "text/plain"},
		{"# Title\n", "text/markdown; charset=utf-8", "", "text/markdown", "text/plain"},
		{"", "image/png", "a.png", "text/plain", "text/plain"},
		{"\x00\x01\x02", "image/png", "a.png", attachment.Unknown, "application/octet-stream"},
		{svgWithScript, "image/png", "a.png", "image/svg+xml", "application/octet-stream"},
		{`<?xml version="1.0"?>` + svgWithScript, "image/svg+xml", "a.svg", "image/svg+xml", "application/octet-stream"},
		{"<!DOCTYPE html><script>alert(1)</script>", "image/png", "a.png", "text/html", "application/octet-stream"},
		{"  <script>alert(1)</script>", "text/plain", "a.txt", "text/html", "application/octet-stream"},
		{`<?xml version="1.0"?><a xmlns:x="http://www.w3.org/1999/xhtml"/>`, "", "", "text/xml", "application/octet-stream"},
		{"#!/usr/bin/env node\n", "text/plain", "a.txt", "text/javascript", "application/octet-stream"},
		{"MZ\x90\x00", "image/png", "a.png", "application/vnd.microsoft.portable-executable", "application/octet-stream"},
		{"\x89PNG\r\n\x1a\n", "text/html", "a.html", "image/png", "image/png"},
		{jpegStart + "<html><script>alert(1)</script>", "text/html", "a.html", "image/jpeg", "image/jpeg"},
		{"GIF89a/*<script>alert(1)</script>*/=1;", "text/javascript", "a.js", "image/gif", "image/gif"},
		{"just words", strings.Repeat("x", 1<<20), strings.Repeat("y", 1<<20), "text/plain", "text/plain"},
		{strings.Repeat("a", 1<<20), "", "", "text/plain", "text/plain"},
	} {
		got := attachment.Detect([]byte(c.content), c.declared, c.name)
		if got != c.want {
			t.Errorf("Detect(%.40q, %.40q, %.40q) = %s, want %s", c.content, c.declared, c.name, got, c.want)
		}
		if served := attachment.Headers(got, c.name, false)["Content-Type"]; served != c.served {
			t.Errorf("%s is served as %s, want %s", got, served, c.served)
		}
	}
}

// Whatever the type, a file is saved, and if a browser showed it all the same, it could do nothing.
func TestHeaders_letNothingRun(t *testing.T) {
	for _, kind := range []attachment.Type{"image/png", "image/jpeg", "image/svg+xml", "text/html", "application/xhtml+xml", "text/javascript", "application/pdf", "", "x\r\nSet-Cookie: a=b", "multipart/x-mixed-replace"} {
		for _, preview := range []bool{false, true} {
			headers := attachment.Headers(kind, "a.html", preview)
			for name, want := range map[string]string{
				"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
				"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
			} {
				if headers[name] != want {
					t.Errorf("%s: %s is %q, want %q", kind, name, headers[name], want)
				}
			}
			shown := preview && (kind == "image/png" || kind == "image/jpeg")
			if strings.HasPrefix(headers["Content-Disposition"], "inline") != shown {
				t.Errorf("%q, preview %t: %s", kind, preview, headers["Content-Disposition"])
			}
			if !strings.HasPrefix(headers["Cache-Control"], "private") {
				t.Errorf("%s may be cached by others: %s", kind, headers["Cache-Control"])
			}
			if served := headers["Content-Type"]; strings.ContainsAny(served, "\r\n") || strings.Contains(served, "ml") || strings.Contains(served, "script") {
				t.Errorf("%s is served as %s", kind, served)
			}
		}
	}
}

func TestHeaders_encodeTheName(t *testing.T) {
	for name, want := range map[string]string{
		"invoice.pdf":         `attachment; filename="invoice.pdf"`,
		"March 2026 (1).pdf":  `attachment; filename="March 2026 (1).pdf"`,
		"März €.pdf":          `attachment; filename="M_rz _.pdf"; filename*=UTF-8''M%C3%A4rz%20%E2%82%AC.pdf`,
		"100%25.pdf":          `attachment; filename="100_25.pdf"; filename*=UTF-8''100%2525.pdf`,
		"a\"; filename=b.exe": `attachment; filename="a_; filename=b.exe"`,
		"a\r\nX-Evil: 1.txt":  `attachment; filename="a X-Evil_ 1.txt"`,
		"../../a;b=c'd.txt":   `attachment; filename="a;b=c'd.txt"`,
		"":                    `attachment; filename="file"`,
	} {
		if got := attachment.Headers(attachment.Text, name, false)["Content-Disposition"]; got != want {
			t.Errorf("%q is served as %s, want %s", name, got, want)
		}
	}
}

// Any content gets a type that is a type, and any name a header that says that name.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(svgWithScript), "image/png", "a.png")
	f.Add([]byte(pdfWithScript), "a/b; c=d", "März.pdf")
	f.Add([]byte("PK\x03\x04\x14\x00"), "\r\n", "\xff\";.x")
	f.Add([]byte("<ht"), "text/csv", "..")
	f.Fuzz(func(t *testing.T, head []byte, declared, name string) {
		kind := attachment.Detect(head, declared, name)
		if _, _, err := mime.ParseMediaType(string(kind)); err != nil {
			t.Errorf("%.40q is %q: %v", head, kind, err)
		}
		headers := attachment.Headers(kind, name, false)
		for _, value := range headers {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("a header is %q", value)
			}
		}
		how, parameters, err := mime.ParseMediaType(headers["Content-Disposition"])
		if err != nil || how != "attachment" || parameters["filename"] != attachment.CleanName(name) {
			t.Errorf("%q is served as %s, read as %q: %v", name, headers["Content-Disposition"], parameters["filename"], err)
		}
		if bytes.Contains([]byte(headers["Content-Type"]), []byte("html")) {
			t.Errorf("it is served as %s", headers["Content-Type"])
		}
	})
}
