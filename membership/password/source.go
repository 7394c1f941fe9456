package password

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/storage"
)

// The variables of the environment that a password may come from: the name of a file that only its owner may read, or the
// password itself. Never the command line, which every user of the machine can see.
const (
	FileVariable = "HOLDFAST_PASSWORD_FILE"
	Variable     = "HOLDFAST_PASSWORD"
)

// Source is where the commands of an operator get the password from.
type Source struct {
	Getenv   func(string) string
	Terminal *os.File  // where to ask if the environment says nothing; nil, or no terminal: nowhere
	Out      io.Writer // what the question is written to
}

// Read returns the password: that of FileVariable, of Variable, or the answer to "<question>: " at the terminal, whose echo is off
// meanwhile; confirm asks for it twice. One line feed at the end does not belong to it. Whether it is fit for a new
// cluster is for [Validate] to say. Errors: Invalid if there is nothing to ask, both variables are set, or the answers differ; NotFound and
// Denied as of storage.ReadPrivate.
func (s Source) Read(question string, confirm bool) ([]byte, error) {
	const op = "read password"
	file, value := s.Getenv(FileVariable), s.Getenv(Variable)
	switch {
	case file != "" && value != "":
		return nil, holdfast.E(op, holdfast.Invalid, fmt.Errorf("%s and %s are both set", FileVariable, Variable))
	case value != "":
		return []byte(value), nil
	case file != "":
		b, err := storage.ReadPrivate(file, MaxLength+1)
		return bytes.TrimSuffix(b, []byte("\n")), err
	}
	first, err := s.ask(question)
	if err != nil || !confirm {
		return first, err
	}
	second, err := s.ask(question + " again")
	if err == nil && !bytes.Equal(first, second) {
		err = holdfast.E(op, holdfast.Invalid, errors.New("the two differ"))
	}
	return first, err
}

// ask reads a line from the terminal with its echo off.
func (s Source) ask(question string) (answer []byte, err error) {
	const op = "read password"
	nowhere := holdfast.E(op, holdfast.Invalid, fmt.Errorf("there is no terminal to ask at: set %s or %s", FileVariable, Variable))
	if s.Terminal == nil {
		return nil, nowhere
	}
	fd := int(s.Terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, nowhere
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG
	quiet.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &quiet); err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	defer func() {
		err = errors.Join(err, unix.IoctlSetTermios(fd, unix.TCSETSF, before))
		_, _ = fmt.Fprintln(s.Out) // the one that was not echoed
	}()
	if _, err := fmt.Fprintf(s.Out, "%s: ", question); err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	line, err := bufio.NewReader(io.LimitReader(s.Terminal, MaxLength+1)).ReadString('\n')
	if err != nil {
		return nil, holdfast.E(op, holdfast.Invalid, errors.New("the answer has no end"))
	}
	return []byte(strings.TrimSuffix(line, "\n")), nil
}
