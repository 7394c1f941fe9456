package ctl_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The units of deploy are what systemd takes without a word.
func TestUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: wants systemd-analyze, which tests/setup.sh installs")
	}
	units, err := filepath.Glob("../../deploy/systemd/*.service")
	if err != nil || len(units) == 0 {
		t.Fatalf("units: %v, %v", units, err)
	}
	self, err := os.Executable() // stands for the binary, which need not be installed
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		installed := []byte("/usr/bin/holdfast")
		if !bytes.Contains(text, installed) {
			t.Errorf("%s does not run %s", unit, installed)
		}
		copied := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(copied, bytes.ReplaceAll(text, installed, []byte(self)), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, copied)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
