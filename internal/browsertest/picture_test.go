package browsertest_test

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

func TestScreenshot_isSmallAndShowsTheWindow(t *testing.T) {
	p := browsertest.Open(t, site(t, `<p>words</p><link rel="stylesheet" href="/a.css">`,
		map[string]string{"/a.css": "html { background: linear-gradient(90deg, #203040, #f0c040) }"}), browsertest.Look{Width: 1000, Height: 600})
	p.Goto("/")
	file := filepath.Join(t.TempDir(), "page.png")
	p.Screenshot(file)
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	picture, err := png.Decode(opened)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 1000 || size.Y != 600 {
		t.Errorf("the picture is %v", size)
	}
	left, _, _, _ := picture.At(1, 500).RGBA()
	right, _, _, _ := picture.At(990, 500).RGBA()
	if left>>8 > 0x30 || right>>8 < 0xe0 {
		t.Errorf("the picture goes from red %x to %x, not from 20 to f0", left>>8, right>>8)
	}
	if info, err := opened.Stat(); err != nil || info.Size() > 60_000 {
		t.Errorf("the file is not small: %v, %v", info.Size(), err)
	}
}
