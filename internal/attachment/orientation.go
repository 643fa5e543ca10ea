package attachment

import (
	"bytes"
	"encoding/binary"
	"image"
	"iter"
)

// Markers of JPEG.
const (
	startBaseline = 0xc0
	startExtended = 0xc1
	firstRestart  = 0xd0
	lastRestart   = 0xd7
	startScan     = 0xda
	app1          = 0xe1
)

// segments returns the segments of a JPEG file before its first scan, by their markers.
func segments(file []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		if !bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
			return
		}
		for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff; {
			marker := rest[1]
			if marker == 0xff { // fills
				rest = rest[1:]
				continue
			}
			if marker == 0 || firstRestart <= marker && marker <= lastRestart { // is alone
				rest = rest[2:]
				continue
			}
			size := int(binary.BigEndian.Uint16(rest[2:])) + 2
			if marker == startScan || size < 4 || size > len(rest) || !yield(marker, rest[4:size]) {
				return
			}
			rest = rest[size:]
		}
	}
}

// orientation returns how the image in a JPEG file is to be turned, 1 to 8 as Exif has it, and 1 if it says nothing.
func orientation(file []byte) int {
	for marker, data := range segments(file) {
		if tiff, is := bytes.CutPrefix(data, []byte("Exif\x00\x00")); is && marker == app1 {
			return tiffOrientation(tiff)
		}
	}
	return 1
}

// tiffOrientation reads the tag from the first directory of a TIFF file.
func tiffOrientation(tiff []byte) int {
	const (
		tag, short = 0x0112, 3
		entrySize  = 12
	)
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(tiff, []byte("MM")) {
		order = binary.BigEndian
	}
	if len(tiff) < 8 {
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entrySize {
			break
		}
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if o := int(order.Uint16(entries[8:])); 1 <= o && o <= 8 {
				return o
			}
			break
		}
		entries = entries[entrySize:]
	}
	return 1
}

// sideways reports whether an orientation exchanges width and height.
func sideways(orientation int) bool { return orientation >= 5 }

// turn returns an image as it is to be seen.
func turn(m *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	turned := image.NewRGBA(image.Rect(0, 0, w, h))
	if sideways(orientation) {
		turned = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			toX, toY := place(x, y, w, h, orientation)
			turned.SetRGBA(toX, toY, m.RGBAAt(x, y))
		}
	}
	return turned
}

// place returns where a stored pixel is seen.
func place(x, y, w, h, orientation int) (int, int) {
	right, bottom := w-1-x, h-1-y
	switch orientation {
	case 2:
		return right, y
	case 3:
		return right, bottom
	case 4:
		return x, bottom
	case 5:
		return y, x
	case 6:
		return bottom, x
	case 7:
		return bottom, right
	case 8:
		return y, right
	}
	return x, y
}
