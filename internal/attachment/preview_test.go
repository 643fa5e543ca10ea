package attachment_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/image/bmp"

	"github.com/holesalemart/supportdesk/internal/attachment"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// quarters is an opaque image whose quarters have colours of their own: red, green; blue, white.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, colours[2*y/h][2*x/w])
		}
	}
	return m
}

var colours = [2][2]color.NRGBA{{{255, 0, 0, 255}, {0, 255, 0, 255}}, {{0, 0, 255, 255}, {255, 255, 255, 255}}}

// encoded returns the same image in every format that is read, WebP excepted.
func encoded(t testing.TB, m image.Image) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, encode := range map[string]func(b *bytes.Buffer) error{
		"png":  func(b *bytes.Buffer) error { return png.Encode(b, m) },
		"jpeg": func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) },
		"gif":  func(b *bytes.Buffer) error { return gif.Encode(b, m, &gif.Options{NumColors: 256}) },
		"bmp":  func(b *bytes.Buffer) error { return bmp.Encode(b, m) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	return all
}

// webp is a lossless image of one transparent black pixel.
const webp = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func preview(t *testing.T, file []byte) (attachment.Preview, image.Image) {
	t.Helper()
	p, err := attachment.NewPreview(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatalf("preview of %d bytes: %v", len(file), err)
	}
	return p, checkPreview(t, p)
}

// checkPreview checks what is true of every preview, and returns its image.
func checkPreview(t *testing.T, p attachment.Preview) image.Image {
	t.Helper()
	m, kind, err := image.Decode(bytes.NewReader(p.Bytes))
	if err != nil || "image/"+kind != string(p.Type) || attachment.Detect(p.Bytes, "", "") != p.Type {
		t.Fatalf("a preview is %s and said to be %s: %v", kind, p.Type, err)
	}
	if m.Bounds() != image.Rect(0, 0, p.Width, p.Height) || p.Width > 1280 || p.Height > 1280 || p.OriginalWidth < p.Width || p.OriginalHeight < p.Height {
		t.Errorf("a preview of %v is said to be %d × %d of %d × %d", m.Bounds(), p.Width, p.Height, p.OriginalWidth, p.OriginalHeight)
	}
	return m
}

func TestNewPreview_ofEveryFormat(t *testing.T) {
	for _, c := range []struct{ w, h, toW, toH int }{{1, 1, 1, 1}, {40, 20, 40, 20}, {1280, 10, 1280, 10}, {1281, 10, 1280, 9}, {2600, 1300, 1280, 640}, {700, 1400, 640, 1280}, {5121, 2, 1280, 1}} {
		for name, file := range encoded(t, quarters(c.w, c.h)) {
			p, m := preview(t, file)
			if p.Width != c.toW || p.Height != c.toH || p.OriginalWidth != c.w || p.OriginalHeight != c.h || p.Type != attachment.JPEG {
				t.Errorf("%s of %d × %d: a %s of %d × %d of %d × %d", name, c.w, c.h, p.Type, p.Width, p.Height, p.OriginalWidth, p.OriginalHeight)
			}
			if c.h > 10 {
				checkQuarters(t, name, m, colours)
			}
		}
	}
	if p, m := preview(t, []byte(webp)); p.Type != attachment.PNG || !clear(m) {
		t.Errorf("a WebP becomes a %s", p.Type)
	}
	for kind, want := range map[attachment.Type]bool{"image/png": true, "image/webp": true, "image/svg+xml": false, "application/pdf": false, "": false} {
		if kind.HasPreview() != want {
			t.Errorf("%s has a preview: %t", kind, !want)
		}
	}
}

func clear(m image.Image) bool { _, _, _, a := m.At(0, 0).RGBA(); return a == 0 }

// checkQuarters compares the colours in the middles of the quarters.
func checkQuarters(t *testing.T, what string, m image.Image, want [2][2]color.NRGBA) {
	t.Helper()
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	for row := range 2 {
		for column := range 2 {
			got := color.NRGBAModel.Convert(m.At(w*(2*column+1)/4, h*(2*row+1)/4)).(color.NRGBA)
			w := want[row][column]
			if far(got.R, w.R) || far(got.G, w.G) || far(got.B, w.B) {
				t.Errorf("%s: row %d, column %d is %v, want %v", what, row, column, got, w)
			}
		}
	}
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 40 }

func TestNewPreview_staysTransparent(t *testing.T) {
	m := quarters(3000, 100)
	for x := range 1500 {
		for y := range 100 {
			m.SetNRGBA(x, y, color.NRGBA{})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if p, small := preview(t, b.Bytes()); p.Type != attachment.PNG || !clear(small) {
		t.Errorf("it is a %s with %v", p.Type, small.At(0, 0))
	}
}

// withExif returns a JPEG file with a segment of Exif that has an orientation and a secret.
func withExif(file []byte, order binary.ByteOrder, orientation int) []byte {
	tiff := []byte("II*\x00")
	if order == binary.ByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = binary.BigEndian.AppendUint32(tiff, 0)
	order.PutUint32(tiff[4:], 8)
	entries := make([]byte, 2+2*12+4)
	order.PutUint16(entries, 2)
	order.PutUint16(entries[2:], 0x010f) // the maker, as text at 64
	order.PutUint16(entries[4:], 2)
	order.PutUint32(entries[6:], 6)
	order.PutUint32(entries[10:], 64)
	order.PutUint16(entries[14:], 0x0112)
	order.PutUint16(entries[16:], 3)
	order.PutUint32(entries[18:], 1)
	order.PutUint16(entries[22:], uint16(orientation))
	data := append(append([]byte("Exif\x00\x00"), append(tiff, entries...)...), "SECRET-PLACE"...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(data)+2))
	return append(append(append([]byte{}, file[:2]...), append(segment, data...)...), file[2:]...)
}

func TestNewPreview_isTurnedAndHasNoMetadata(t *testing.T) {
	red, green, blue, white := colours[0][0], colours[0][1], colours[1][0], colours[1][1]
	plain := encoded(t, quarters(1600, 800))["jpeg"]
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for orientation, want := range [][2][2]color.NRGBA{
			0: colours, 1: colours, 9: colours, // 0 and 9 do not exist
			2: {{green, red}, {white, blue}}, 3: {{white, blue}, {green, red}}, 4: {{blue, white}, {red, green}},
			5: {{red, blue}, {green, white}}, 6: {{blue, red}, {white, green}}, 7: {{white, green}, {blue, red}}, 8: {{green, white}, {red, blue}},
		} {
			p, m := preview(t, withExif(plain, order, orientation))
			checkQuarters(t, "orientation "+string(rune('0'+orientation)), m, want)
			if tall := 5 <= orientation && orientation <= 8; tall != (p.Height > p.Width) || tall != (p.OriginalHeight == 1600) {
				t.Errorf("orientation %d: %d × %d of %d × %d", orientation, p.Width, p.Height, p.OriginalWidth, p.OriginalHeight)
			}
			if bytes.Contains(p.Bytes, []byte("Exif")) || bytes.Contains(p.Bytes, []byte("SECRET")) {
				t.Error("the preview has the file's metadata")
			}
		}
	}
}

// pngBomb is a PNG with a header that says anything and little content.
func pngBomb(w, h uint32, depth, kind, interlace byte) []byte {
	chunk := func(name string, data []byte) []byte {
		body := append([]byte(name), data...)
		return binary.BigEndian.AppendUint32(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), body...), crc32.ChecksumIEEE(body))
	}
	header := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h), depth, kind, 0, 0, interlace)
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	file := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header)...)
	return append(append(file, chunk("IDAT", zeros.Bytes())...), chunk("IEND", nil)...)
}

// resized returns a JPEG or GIF with another size in its header, at an offset.
func resized(file []byte, at int, order binary.ByteOrder, first, second uint16) []byte {
	file = bytes.Clone(file)
	order.PutUint16(file[at:], first)
	order.PutUint16(file[at+2:], second)
	return file
}

func TestNewPreview_bombsTakeNoMemory(t *testing.T) {
	all := encoded(t, quarters(64, 64))
	sof := bytes.Index(all["jpeg"], []byte{0xff, 0xc0}) + 5
	frame := bytes.LastIndex(all["gif"][:len(all["gif"])/2], []byte{0x2c}) + 5 // may be elsewhere: then it is only damaged
	bigBMP := bytes.Clone(all["bmp"])
	binary.LittleEndian.PutUint32(bigBMP[18:], 60_000)
	binary.LittleEndian.PutUint32(bigBMP[22:], 60_000)
	progressive := resized(all["jpeg"], sof, binary.BigEndian, 6000, 6000)
	progressive[sof-4] = 0xc2
	hidden := append([]byte{0xff, 0xd8, 0xff, 0xd0}, progressive[2:]...) // a marker that stands alone comes first
	for name, file := range map[string][]byte{
		"PNG of 50,000 × 50,000":                pngBomb(50_000, 50_000, 8, 6, 0),
		"PNG of 2^31 - 1 × 2^31 - 1":            pngBomb(1<<31-1, 1<<31-1, 1, 0, 0),
		"PNG of 40,000,001 × 1":                 pngBomb(40_000_001, 1, 1, 0, 0),
		"PNG of 16 bits":                        pngBomb(6300, 6300, 16, 6, 0),
		"interlaced PNG":                        pngBomb(6300, 6300, 8, 6, 1),
		"JPEG of 65,000 × 65,000":               resized(all["jpeg"], sof, binary.BigEndian, 65_000, 65_000),
		"progressive JPEG of 36 megapixels":     progressive,
		"the same, hidden":                      hidden,
		"GIF of 65,535 × 65,535":                resized(all["gif"], 6, binary.LittleEndian, 65_535, 65_535),
		"GIF with a frame larger than itself":   resized(all["gif"], frame, binary.LittleEndian, 65_535, 65_535),
		"BMP of 60,000 × 60,000":                bigBMP,
		"WebP of 16,384 × 16,384":               []byte(strings.Replace(webp, "\x2f\x00\x00\x00\x10", "\x2f\xff\xff\xff\x1f", 1)),
		"WebP that contains a larger one":       webpInCanvas(1, 1),
		"WebP of a canvas of 16,777,216 square": webpInCanvas(1<<24, 1<<24),
		"a file of 33 MiB":                      make([]byte, 33<<20),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := attachment.NewPreview(t.Context(), bytes.NewReader(file))
		runtime.ReadMemStats(&after)
		if kind := fault.KindOf(err); kind != fault.TooLarge && kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 8*uint64(len(file))+4<<20 {
			t.Errorf("%s of %d bytes took %d MiB: %v", name, len(file), took>>20, err)
		}
	}
}

// webpInCanvas is an extended WebP of a size that contains one of 16,384 × 16,384.
func webpInCanvas(w, h uint32) []byte {
	extended := make([]byte, 10)
	extended[4], extended[5], extended[6] = byte(w-1), byte((w-1)>>8), byte((w-1)>>16)
	extended[7], extended[8], extended[9] = byte(h-1), byte((h-1)>>8), byte((h-1)>>16)
	body := "WEBPVP8X\x0a\x00\x00\x00" + string(extended) + strings.Replace(webp[12:], "\x2f\x00\x00\x00\x10", "\x2f\xff\xff\xff\x1f", 1)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestNewPreview_ofWhatIsNoImage(t *testing.T) {
	files := map[string][]byte{
		"nothing": nil, "words": []byte("just words"), "SVG": []byte(svgWithScript), "PDF": []byte(pdfWithScript),
		"HTML": []byte("<!DOCTYPE html><img src=x>"), "TIFF": []byte("II*\x00\x08\x00\x00\x00\x00\x00\x00\x00"), "webp": []byte(webp[:20]),
	}
	for name, file := range encoded(t, quarters(300, 200)) {
		for _, part := range []int{4, 20, len(file) / 2} {
			files[name+" cut off"] = file[:part]
			_, err := attachment.NewPreview(t.Context(), bytes.NewReader(file[:part]))
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("the first %d bytes of a %s: %v", part, name, err)
			}
		}
	}
	for name, file := range files {
		if _, err := attachment.NewPreview(t.Context(), bytes.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("the store is away")
	if _, err := attachment.NewPreview(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) || fault.KindOf(err) != fault.Internal {
		t.Errorf("a reader that fails: %v", err)
	}
}

// A file that is an image and a page becomes an image and nothing else.
func TestNewPreview_polyglotsLoseTheirOtherHalf(t *testing.T) {
	const page = "<html><script>alert(document.cookie)</script>"
	for name, file := range encoded(t, quarters(64, 64)) {
		p, _ := preview(t, append(bytes.Clone(file), page...))
		if bytes.Contains(p.Bytes, []byte("script")) {
			t.Errorf("the preview of a %s has the page behind it", name)
		}
	}
	comment := append([]byte{0xff, 0xfe, 0, byte(2 + len(page))}, page...)
	file := encoded(t, quarters(64, 64))["jpeg"]
	p, _ := preview(t, append(append(append([]byte{}, file[:2]...), comment...), file[2:]...))
	if bytes.Contains(p.Bytes, []byte("script")) {
		t.Error("the preview of a JPEG has its comment")
	}
}

func TestNewPreview_ofAnAnimationIsItsFirstFrame(t *testing.T) {
	first, second := image.NewPaletted(image.Rect(0, 0, 10, 10), palette.Plan9), image.NewPaletted(image.Rect(0, 0, 10, 10), palette.Plan9)
	for i := range first.Pix {
		first.Pix[i] = uint8(first.Palette.Index(color.White))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	if _, m := preview(t, b.Bytes()); far(color.GrayModel.Convert(m.At(5, 5)).(color.Gray).Y, 255) {
		t.Errorf("it shows %v", m.At(5, 5))
	}
}

// One image is decoded at a time: a second waits for the first, no longer than its request.
func TestNewPreview_waitsItsTurn(t *testing.T) {
	file := encoded(t, quarters(8, 8))["png"]
	reading, finish, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := attachment.NewPreview(t.Context(), readerFunc(func(p []byte) (int, error) {
			reading <- struct{}{}
			<-finish
			return 0, errors.New("the first is over")
		}))
		done <- err
	}()
	<-reading
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := attachment.NewPreview(ended, bytes.NewReader(file)); !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	close(finish)
	<-done
	preview(t, file)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Any file has a preview or a fault.
func FuzzNewPreview(f *testing.F) {
	for _, file := range encoded(f, quarters(12, 8)) {
		f.Add(file)
		f.Add(file[:len(file)/2])
	}
	f.Add(withExif(encoded(f, quarters(4, 2))["jpeg"], binary.BigEndian, 6))
	f.Add([]byte(webp))
	f.Add(webpInCanvas(1, 1))
	f.Add(pngBomb(3000, 3000, 1, 0, 1))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := attachment.NewPreview(t.Context(), bytes.NewReader(file))
		if kind := fault.KindOf(err); err != nil && kind != fault.Invalid && kind != fault.TooLarge {
			t.Fatalf("preview: %v", err)
		}
		if err == nil {
			checkPreview(t, p)
		}
	})
}
