package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/internal/fault"
)

//go:embed static
var static embed.FS

// asset is a static file in memory.
type asset struct {
	media string
	etag  string
	body  []byte
}

// assets are the static files by path, such as css/base.css. Their addresses contain a hash of their content, so that
// browsers may cache them without limit.
type assets struct {
	files map[string]asset
	token string // hash of all files
}

func readAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	all := sha256.New()
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		file := newAsset(name, body)
		a.files[strings.TrimPrefix(name, "static/")] = file
		_, _ = all.Write([]byte(file.etag)) // a hash never fails
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the static files: %w", err)
	}
	a.token = hex.EncodeToString(all.Sum(nil))[:10]
	return a, nil
}

// newAsset returns a file with its media type and entity tag. The tag is weak because the file may be sent compressed.
func newAsset(name string, body []byte) asset {
	sum := sha256.Sum256(body)
	a := asset{media: mime.TypeByExtension(path.Ext(name)), etag: `W/"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
	if path.Ext(name) == ".md" || a.media == "" {
		a.media = "text/plain; charset=utf-8"
	}
	return a
}

// address returns the address of a file. The token is part of the path, so that relative imports of scripts include it.
func (a *assets) address(name string) (string, error) {
	if _, there := a.files[name]; !there {
		return "", fmt.Errorf("there is no static file %s", name)
	}
	return "/static/" + a.token + "/" + name, nil
}

func (e *Engine) static(c *gin.Context) {
	token, name, _ := strings.Cut(strings.TrimPrefix(c.Param("file"), "/"), "/")
	file, there := e.assets.files[name]
	if !there {
		e.Fail(c, fault.New(fault.NotFound, "there is no such file"))
		return
	}
	h := c.Writer.Header()
	h.Set("Content-Type", file.media)
	h.Set("ETag", file.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // requested by a page of another version
	if token == e.assets.token {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(file.body))
}
