// Package path knows how keys lie in the tree of directories, and remembers directories that were found.
//
// Its invariant: nothing in a key is special but the byte "/". Empty components are components like any other, so that
// "a//b", "/a", "a/" and ".." are names of their own, and joining what Split cut gives the key back, byte for byte.
//
// It is pure: it asks no server and starts no goroutine.
package path

import "strings"

// Split cuts a key into the names of the directories on the way, each with its "/" at the end, and the name in the last
// one, which is empty for a key that ends in "/".
func Split(key string) (dirs []string, name string) {
	n := strings.Count(key, "/")
	if n == 0 {
		return nil, key
	}
	dirs = make([]string, n)
	for i := range dirs {
		end := strings.IndexByte(key, '/') + 1
		dirs[i], key = key[:end], key[end:]
	}
	return dirs, key
}

// Dir returns the directory part of a key: everything up to its last "/", that included.
func Dir(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }

// After returns the smallest string that is greater than every string that begins with prefix; false if there is none, as
// for "" and for "\xff".
func After(prefix string) (string, bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1}), true
		}
	}
	return "", false
}
