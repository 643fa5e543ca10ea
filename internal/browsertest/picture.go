package browsertest

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// Screenshot writes the window to a PNG of at most 256 colours, which few pages exceed and which reduces the file to a
// third.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	p.Settle()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.fail("take a picture: %v", err)
	}
	if err := keepSmall(file, shot); err != nil {
		p.fail("keep the picture: %v", err)
	}
}

// CheckReadable checks the page in both colour schemes, wide and narrow: no violations of axe-core rules and no horizontal
// scrolling. If PICTURES is a directory, screenshots are stored there.
func (p *Page) CheckReadable(name string) {
	p.t.Helper()
	for how, look := range map[string]Look{
		"light": {}, "dark": {Dark: true}, "phone": {Width: 360, Height: 740}, "dark-phone": {Width: 360, Height: 740, Dark: true},
	} {
		p.Look(look)
		p.Settle()
		for _, found := range append(p.Accessibility(), p.Overflow()...) {
			p.t.Errorf("%s, %s: %s", name, how, found)
		}
		if dir := os.Getenv("PICTURES"); dir != "" {
			p.Screenshot(filepath.Join(dir, name+"-"+how+".png"))
		}
	}
	p.Look(Look{})
}

func keepSmall(file string, shot []byte) error {
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return fmt.Errorf("read the picture: %w", err)
	}
	small := image.NewPaletted(picture.Bounds(), commonest(picture))
	index := map[color.Color]uint8{} // finding the nearest is slow
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			c := picture.At(x, y)
			i, known := index[c]
			if !known {
				i = uint8(small.Palette.Index(c))
				index[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, small); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// commonest returns the 256 most frequent colours of a picture.
func commonest(picture image.Image) color.Palette {
	counts := map[color.Color]int{}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	var all color.Palette
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.Color) int {
		if n := cmp.Compare(counts[b], counts[a]); n != 0 {
			return n
		}
		return cmp.Compare(code(a), code(b)) // deterministic output
	})
	return all[:min(len(all), 256)]
}

func code(c color.Color) uint32 {
	r, g, b, _ := c.RGBA()
	return r>>8<<16 | g>>8<<8 | b>>8
}
