package attachment

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	// maxSide is the longest side of a preview in pixels.
	maxSide = 1280
	// maxPixels is the largest image that is decoded: a 40-megapixel photograph.
	maxPixels = 40_000_000
	// maxFile is the largest file that is decoded, in bytes. It is in memory meanwhile.
	maxFile = 32 << 20
	// maxMemory is what a decoded image may take, in bytes.
	maxMemory = 256 << 20
	// quality is that of JPEG, of 100.
	quality = 85
)

// Preview is a small picture of an image, without metadata of any kind.
type Preview struct {
	Bytes         []byte
	Type          Type // PNG if it has transparent parts, or else JPEG
	Width, Height int  // in pixels

	// The image's own size, as it is shown: turned as its orientation says.
	OriginalWidth, OriginalHeight int
}

// format is a kind of image that is read.
type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error) // of the first frame
	// cost is how many bytes a pixel takes while the file is decoded.
	cost func(file []byte) int64
}

var formats = map[Type]format{
	PNG:  {png.DecodeConfig, png.Decode, pngCost},
	JPEG: {jpeg.DecodeConfig, jpeg.Decode, jpegCost},
	GIF:  {gif.DecodeConfig, gif.Decode, fixed(1)},
	WebP: {webp.DecodeConfig, webp.Decode, fixed(8)}, // colours and, decoded as an image of its own, transparency
	BMP:  {bmp.DecodeConfig, bmp.Decode, fixed(4)},
}

// decoding has a value while an image is decoded: one at a time, so that images take a bounded part of the memory.
var decoding = make(chan struct{}, 1)

// errNone is why most files have no preview.
var errNone = fault.New(fault.Invalid, "there is no preview of this file")

// NewPreview makes the preview of an image. What is no image, or a damaged one, is Invalid; an image that would take
// too much memory is TooLarge. An error of r is returned as it is. It decodes one image at a time in a process and waits
// for its turn, in which it reads r, until ctx ends.
func NewPreview(ctx context.Context, r io.Reader) (Preview, error) {
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return Preview{}, fmt.Errorf("wait to make a preview: %w", ctx.Err())
	}
	file, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return Preview{}, fmt.Errorf("read an image: %w", err)
	case len(file) > maxFile:
		return Preview{}, fault.New(fault.TooLarge, "the image is too large for a preview")
	}
	return preview(file)
}

// preview recovers from panics: the decoders were not written for hostile files.
func preview(file []byte) (p Preview, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			p, err = Preview{}, fault.Wrap(fmt.Errorf("decoder panicked: %v", panicked), fault.Invalid, "%s", errNone.Message)
		}
	}()
	f, known := formats[Detect(file, "", "")]
	if !known {
		return Preview{}, errNone
	}
	config, err := f.config(bytes.NewReader(file))
	if err != nil {
		return Preview{}, fault.Wrap(err, fault.Invalid, "%s", errNone.Message)
	}
	if err := f.affordable(config, file); err != nil {
		return Preview{}, err
	}
	decoded, err := f.decode(bytes.NewReader(file))
	if err != nil {
		return Preview{}, fault.Wrap(err, fault.Invalid, "%s", errNone.Message)
	}
	turned := orientation(file)
	small := turn(shrink(decoded), turned)
	p = Preview{Width: small.Rect.Dx(), Height: small.Rect.Dy(), OriginalWidth: decoded.Bounds().Dx(), OriginalHeight: decoded.Bounds().Dy()}
	if sideways(turned) {
		p.OriginalWidth, p.OriginalHeight = p.OriginalHeight, p.OriginalWidth
	}
	p.Bytes, p.Type, err = encodeImage(small)
	return p, err
}

// affordable returns a fault if decoding would take too much, before anything is decoded.
func (f format) affordable(config image.Config, file []byte) error {
	pixels := int64(config.Width) * int64(config.Height)
	switch {
	case config.Width <= 0 || config.Height <= 0:
		return errNone
	case config.Width > maxPixels || config.Height > maxPixels || pixels > maxPixels || pixels*f.cost(file) > maxMemory:
		return fault.New(fault.TooLarge, "the image has too many pixels for a preview: %d × %d", config.Width, config.Height)
	}
	return nil
}

// shrink returns an image of which no side is too long. It halves the image as often as it can: the average of four
// pixels costs little and is what an eye would see.
func shrink(from image.Image) *image.RGBA {
	for {
		w, h := from.Bounds().Dx(), from.Bounds().Dy()
		longest := max(w, h)
		switch {
		case longest > 2*maxSide:
			w, h = max(1, w/2), max(1, h/2)
		case longest > maxSide:
			w, h = max(1, w*maxSide/longest), max(1, h*maxSide/longest)
		}
		to := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.ApproxBiLinear.Scale(to, to.Rect, from, from.Bounds(), draw.Src, nil)
		if max(w, h) <= maxSide {
			return to
		}
		from = to
	}
}

func encodeImage(m *image.RGBA) ([]byte, Type, error) {
	var b bytes.Buffer
	if m.Opaque() {
		err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality})
		return b.Bytes(), JPEG, err
	}
	err := png.Encode(&b, m)
	return b.Bytes(), PNG, err
}

func fixed(cost int64) func([]byte) int64 { return func([]byte) int64 { return cost } }

// pngCost is by the header: its depth of 8 or 16 bits in up to four channels, twice if it is interlaced.
func pngCost(file []byte) int64 {
	const depth, interlace = 24, 28
	cost := int64(4)
	if len(file) > interlace && file[depth] == 16 {
		cost *= 2
	}
	if len(file) > interlace && file[interlace] != 0 {
		cost *= 2
	}
	return cost
}

// jpegCost is four channels, and for what is not surely a sequential file their coefficients, of four bytes each.
func jpegCost(file []byte) int64 {
	for marker := range segments(file) {
		if marker == startBaseline || marker == startExtended {
			return 4
		}
	}
	return 4 + 4*4
}
