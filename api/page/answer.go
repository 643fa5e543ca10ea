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

// Flash adds a message to the next page that is shown in this session.
func (v *Visit) Flash(format string, args ...any) {
	v.Session.Put(keyFlash, fmt.Sprintf(format, args...))
}

// Show responds with a page.
func (v *Visit) Show(name string, view any) error { return v.ShowStatus(http.StatusOK, name, view) }

// ShowStatus responds with a page and a status, such as 422 for a rejected form. A response of 200 to a form means that
// it was accepted.
func (v *Visit) ShowStatus(status int, name string, view any) error {
	if status == http.StatusOK && v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	if after := retrySeconds[status]; after != "" && v.gin.Writer.Header().Get("Retry-After") == "" {
		v.gin.Header("Retry-After", after)
	}
	return v.render(status, name, "layout", view)
}

// Fragment responds with one block of a page, without the layout.
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

// File responds with a download under a name.
func (v *Visit) File(media, name string, body []byte) error {
	v.gin.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return v.write(http.StatusOK, media, body)
}

// Nothing responds with success and no content.
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
	_, _ = v.gin.Writer.Write(body) // fails only if the client has disconnected
	return nil
}

// Redirect redirects the browser, after an accepted form or instead of a page.
func (v *Visit) Redirect(to string) error {
	if v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	return v.redirect(to)
}

// Refuse redirects the browser after a form that was not accepted. A stored copy of the form is not dropped.
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

// Local returns an address from a request, such as that of the page after signing in, if it is on this site, or else
// that of the start page. It prevents open redirects.
func Local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\t\r\n") {
		return "/"
	}
	return address
}
