package scan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// clamd is ClamAV's daemon, by its protocol of clamd(8).
type clamd struct{ network, address string }

const (
	chunk    = 64 << 10
	maxReply = 4 << 10
	maxName  = 200 // bytes of a virus's name
)

func (c clamd) scan(ctx context.Context, r io.Reader, _ Meta) (Verdict, error) {
	reply, err := c.ask(ctx, "zINSTREAM\x00", func(conn net.Conn) error { return stream(conn, r) })
	if err != nil {
		return Verdict{}, unavailable(err)
	}
	return parseReply(reply)
}

func (c clamd) ping(ctx context.Context) error {
	reply, err := c.ask(ctx, "zPING\x00", func(net.Conn) error { return nil })
	if err == nil && reply != "PONG" {
		err = fmt.Errorf("clamd answers %.40q", reply)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// ask sends a command and what belongs to it, and returns the reply without its final NUL.
func (c clamd) ask(ctx context.Context, command string, send func(net.Conn) error) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // fails on a closed connection only
	defer stop()
	_, err = io.WriteString(conn, command)
	if err == nil {
		err = send(conn)
	}
	if errors.Is(err, errInput) {
		return "", err
	}
	// clamd replies and hangs up in the middle of a stream that is too long.
	reply, readErr := bufio.NewReader(io.LimitReader(conn, maxReply)).ReadString(0)
	if readErr != nil {
		return "", errors.Join(ctx.Err(), err, readErr)
	}
	return strings.TrimSuffix(reply, "\x00"), nil
}

var errInput = errors.New("the input failed")

// stream writes chunks, each after its length, and a length of zero.
func stream(w io.Writer, r io.Reader) error {
	buffer := make([]byte, 4+chunk)
	for {
		n, err := io.ReadFull(r, buffer[4:])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return errInput
		}
		binary.BigEndian.PutUint32(buffer, uint32(n))
		if _, err := w.Write(buffer[:4+n]); err != nil || n == 0 {
			return err
		}
	}
}

// parseReply parses the reply to INSTREAM: "stream: OK", "stream: NAME FOUND" or "… ERROR".
func parseReply(reply string) (Verdict, error) {
	if strings.HasPrefix(reply, "INSTREAM size limit exceeded") {
		return Verdict{}, tooLarge()
	}
	text, ok := strings.CutPrefix(reply, "stream: ")
	if ok && text == "OK" {
		return Verdict{Kind: Clean}, nil
	}
	if name, found := strings.CutSuffix(text, " FOUND"); ok && found && printable(name, maxName) {
		return Verdict{Kind: Virus, Name: name}, nil
	}
	return Verdict{}, unavailable(fmt.Errorf("clamd answers %.100q", reply))
}

// printable reports whether a text is not empty, of a limited length, in one line and in ASCII.
func printable(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
