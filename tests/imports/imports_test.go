// Package imports holds the test that keeps the rooms of the house apart: imports run one way.
package imports

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "holdfast"

// rule says which rooms of the module a room may import, and why no others.
type rule struct {
	may    []string
	reason string
}

// rules is the house of ARCHITECTURE.md as a table. A room is a top-level folder; "" is the root package. Every room may
// import the root and itself.
var rules = map[string]rule{
	"":           {nil, "the vocabulary imports only the standard library, so that everybody can import it"},
	"storage":    {nil, "the seam to the mount knows no service"},
	"membership": {[]string{"storage", "wire"}, "who owns what is decided without knowing what services do"},
	"wire":       {nil, "what the RPCs have in common knows no service and no disk"},
	"namesrv":    {[]string{"storage", "wire"}, "names never reach for bytes; the node wires the garbage collector"},
	"objsrv":     {[]string{"storage", "wire"}, "bytes never reach for names; the node wires the settling of fates"},
	"volume":     {[]string{"membership", "namesrv", "objsrv"}, "the one way to a volume's data; it stands on the contracts"},
	"gw":         {[]string{"volume"}, "the gateway stands on volume and on nothing below it"},
	"fs":         {[]string{"volume"}, "the mount stands on volume and on nothing below it"},
	"node": {[]string{"gw", "fs", "volume", "namesrv", "objsrv", "membership", "storage", "wire"},
		"the process of a host wires the services together"},
	"tools": {[]string{"node", "volume", "namesrv", "objsrv", "membership", "storage", "wire", "gw"},
		"tools make and manage what nodes run, and may also use the engines; no process of a host needs them"},
	"cmd":    {[]string{"node", "tools", "gw", "fs", "volume", "membership", "storage"}, "wiring only"},
	"tests":  {[]string{"*"}, "whole-system tests may see everything"},
	"deploy": {nil, "packaging holds no code"},
}

func TestImportDirection(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			seen++
			checkFile(t, path, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("found no Go files; the test looks in the wrong place")
	}
}

func checkFile(t *testing.T, path, rel string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	from := room(strings.TrimSuffix(rel, filepath.Base(rel)))
	if _, known := rules[from]; !known {
		t.Errorf("%s: folder %q is not in the house; add it to ARCHITECTURE.md and to the rules of this test", rel, from)
		return
	}
	for _, imp := range f.Imports {
		target, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			continue
		}
		if why := refused(from, target, strings.HasSuffix(rel, "_test.go")); why != "" {
			t.Errorf("%s imports %s: %s", rel, target, why)
		}
	}
}

// refused returns why a file of room from may not import target, "" if it may. Tests may in addition use the in-memory
// services of other rooms, and all that the room stands on, not only what it may call: they put real engines together.
func refused(from, target string, test bool) string {
	if target != module && !strings.HasPrefix(target, module+"/") {
		if from == "" && !test && strings.Contains(strings.Split(target, "/")[0], ".") {
			return rules[""].reason
		}
		return ""
	}
	to := room(strings.TrimPrefix(strings.TrimPrefix(target, module), "/") + "/")
	if to == "" || to == from {
		return ""
	}
	if test && (strings.HasSuffix(target, "test") || to == "storage" || standsOn(from, to)) {
		return ""
	}
	for _, ok := range rules[from].may {
		if ok == to || ok == "*" {
			return ""
		}
	}
	return rules[from].reason
}

// standsOn reports whether a room may be reached from another by imports, directly or not.
func standsOn(from, to string) bool {
	for _, below := range rules[from].may {
		if below == to || below != from && standsOn(below, to) {
			return true
		}
	}
	return false
}

// room returns the top-level folder of a slash-ended path relative to the module.
func room(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	return first
}
