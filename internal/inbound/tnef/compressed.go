package tnef

import "encoding/binary"

// maxRTF is how much RTF is made of compressed RTF.
const maxRTF = 4 << 20

// dictionary is what the window of LZFu begins with (MS-OXRTFCP, 2.1.3.1).
const dictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans " +
	"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

const window = 4096

// unpack decompresses RTF as far as it goes.
func unpack(packed []byte) []byte {
	if len(packed) < 16 {
		return nil
	}
	size := min(int(binary.LittleEndian.Uint32(packed[4:])), maxRTF)
	magic, packed := string(packed[8:12]), packed[16:]
	switch magic {
	case "MELA": // it is not compressed
		return packed[:min(size, len(packed))]
	case "LZFu":
		return unpackLZ(packed, size)
	}
	return nil
}

func unpackLZ(packed []byte, size int) []byte {
	var seen [window]byte
	at := copy(seen[:], dictionary)
	out := make([]byte, 0, min(size, 64<<10))
	put := func(c byte) {
		out = append(out, c)
		seen[at%window] = c
		at++
	}
	for len(packed) > 0 && len(out) < size {
		control := packed[0]
		packed = packed[1:]
		for bit := 0; bit < 8 && len(packed) > 0 && len(out) < size; bit++ {
			if control>>bit&1 == 0 {
				put(packed[0])
				packed = packed[1:]
				continue
			}
			if len(packed) < 2 {
				return out
			}
			reference := binary.BigEndian.Uint16(packed)
			packed = packed[2:]
			from, n := int(reference>>4), int(reference&15)+2
			if from == at%window { // the end
				return out
			}
			for i := range n {
				put(seen[(from+i)%window])
			}
		}
	}
	return out
}
