package password_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"holdfast"
	"holdfast/membership/password"
)

func source(env map[string]string) password.Source {
	return password.Source{Getenv: func(name string) string { return env[name] }, Out: new(strings.Builder)}
}

func TestPasswordFromTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("from a file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	notTerminal, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer notTerminal.Close()
	for _, tc := range []struct {
		name     string
		env      map[string]string
		terminal *os.File
		want     string
		kind     holdfast.Kind
	}{
		{name: "a file", env: map[string]string{password.FileVariable: file}, want: "from a file "},
		{name: "the variable", env: map[string]string{password.Variable: " as it is"}, want: " as it is"},
		{name: "both", env: map[string]string{password.FileVariable: file, password.Variable: "x"}, kind: holdfast.Invalid},
		{name: "an open file", env: map[string]string{password.FileVariable: open}, kind: holdfast.Denied},
		{name: "no file", env: map[string]string{password.FileVariable: file + "x"}, kind: holdfast.NotFound},
		{name: "nothing", kind: holdfast.Invalid},
		{name: "no terminal", terminal: notTerminal, kind: holdfast.Invalid},
	} {
		s := source(tc.env)
		s.Terminal = tc.terminal
		got, err := s.Read("Password", false)
		if tc.kind != holdfast.Other {
			if !holdfast.Is(err, tc.kind) {
				t.Errorf("%s: got %q, %v; want %v", tc.name, got, err, tc.kind)
			}
		} else if err != nil || string(got) != tc.want {
			t.Errorf("%s: got %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

// terminal makes a pseudo terminal: what is typed at the one end is read at the other, and echoed unless that is off.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() }) // it may have been
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() }) // as above
	return keyboard, screen
}

// typist types an answer to each question it sees.
type typist struct {
	mu       sync.Mutex
	text     strings.Builder
	keyboard *os.File
	answers  []string
}

func (w *typist) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	if strings.HasSuffix(string(b), ": ") && len(w.answers) > 0 {
		answer := w.answers[0]
		w.answers = w.answers[1:]
		if _, err := w.keyboard.WriteString(answer); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func TestPasswordFromTheTerminal(t *testing.T) {
	for _, tc := range []struct {
		name    string
		confirm bool
		answers []string
		want    string
		asked   string
		kind    holdfast.Kind
	}{
		{name: "once", answers: []string{"typed it\n"}, want: "typed it", asked: "Password: \n"},
		{name: "return key", answers: []string{"typed it\r"}, want: "typed it", asked: "Password: \n"},
		{name: "twice", confirm: true, answers: []string{"same\n", "same\n"}, want: "same", asked: "Password: \nPassword again: \n"},
		{name: "differing", confirm: true, answers: []string{"one\n", "two\n"}, asked: "Password: \nPassword again: \n", kind: holdfast.Invalid},
		{name: "end of file", answers: []string{"\x04"}, asked: "Password: \n", kind: holdfast.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			keyboard, screen := terminal(t)
			before, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			w := &typist{keyboard: keyboard, answers: tc.answers}
			s := source(nil)
			s.Terminal, s.Out = screen, w
			got, err := s.Read("Password", tc.confirm)
			if tc.kind != holdfast.Other && !holdfast.Is(err, tc.kind) || tc.kind == holdfast.Other && (err != nil || string(got) != tc.want) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tc.want, tc.kind)
			}
			if w.text.String() != tc.asked {
				t.Errorf("asked %q, want %q", w.text.String(), tc.asked)
			}
			after, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
			if err != nil || *after != *before {
				t.Errorf("the terminal was left changed: %+v, %v; want %+v", after, err, before)
			}
			// What is on the screen is what was echoed, and a word that shows that all of it was read.
			if _, err := screen.WriteString("END"); err != nil {
				t.Fatal(err)
			}
			var shown strings.Builder
			for buf := make([]byte, 64); !strings.HasSuffix(shown.String(), "END"); {
				n, err := keyboard.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				shown.Write(buf[:n])
			}
			if text := strings.Trim(shown.String(), "\r\n"); text != "END" {
				t.Errorf("the screen shows %q, want the end only", text)
			}
		})
	}
}
