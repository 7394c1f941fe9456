package volume

import "holdfast"

// Version says which version of a key is meant; the zero value is the current one.
type Version struct {
	ID   holdfast.VersionID
	Null bool // the null version
}

// IsCurrent reports whether the current version is meant.
func (v Version) IsCurrent() bool { return !v.Null && v.ID.IsZero() }
