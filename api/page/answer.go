package page

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Flash keeps a sentence for the next page that this browser is shown.
func (v *Visit) Flash(format string, args ...any) {
	v.Session.Put(keyFlash, fmt.Sprintf(format, args...))
}

// Show answers with a page.
func (v *Visit) Show(name string, view any) error { return v.ShowStatus(http.StatusOK, name, view) }

// ShowStatus answers with a page under a status, such as 422 for a form that comes back. A form that is answered with
// 200 was taken.
func (v *Visit) ShowStatus(status int, name string, view any) error {
	if status == http.StatusOK && v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	if after := retrySeconds[status]; after != "" && v.gin.Writer.Header().Get("Retry-After") == "" {
		v.gin.Header("Retry-After", after)
	}
	return v.render(status, name, "layout", view)
}

// Fragment answers with one block of a page, without the layout.
func (v *Visit) Fragment(name, block string, view any) error {
	return v.render(http.StatusOK, name, block, view)
}

func (v *Visit) render(status int, name, block string, view any) error {
	var b bytes.Buffer
	if err := v.set.execute(&b, name, block, view); err != nil {
		return fmt.Errorf("render %s of page %s: %w", block, name, err)
	}
	body := b.Bytes()
	if block == "layout" && status == http.StatusOK && v.gin.Request.Method == http.MethodGet {
		body = v.refill(body)
	}
	return v.write(status, "text/html; charset=utf-8", v.stamp(body))
}

// File answers with something to be kept under a name.
func (v *Visit) File(media, name string, body []byte) error {
	v.gin.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return v.write(http.StatusOK, media, body)
}

// Nothing answers that it is done and nothing has to be shown.
func (v *Visit) Nothing() error {
	if err := v.Session.save(); err != nil {
		return err
	}
	v.gin.Status(http.StatusNoContent)
	v.gin.Writer.WriteHeaderNow()
	return nil
}

func (v *Visit) write(status int, media string, body []byte) error {
	if err := v.Session.save(); err != nil {
		return err
	}
	h := v.gin.Writer.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.gin.Status(status)
	_, _ = v.gin.Writer.Write(body) // a client that has gone is the only way this fails
	return nil
}

// Redirect sends the browser on, after a post that was taken or instead of a page.
func (v *Visit) Redirect(to string) error {
	if v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	return v.redirect(to)
}

// Refuse sends the browser on after a post that was not taken: what is kept of it stays.
func (v *Visit) Refuse(to string) error { return v.redirect(to) }

func (v *Visit) redirect(to string) error {
	if err := v.Session.save(); err != nil {
		return err
	}
	if v.Partial() {
		v.gin.Header("HX-Redirect", to)
		v.gin.Status(http.StatusNoContent)
		return nil
	}
	v.gin.Redirect(http.StatusSeeOther, to)
	return nil
}

// Local returns an address that came with a request, such as where to go after signing in, if it lies on this site, and
// the start page otherwise.
func Local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\t\r\n") {
		return "/"
	}
	return address
}
