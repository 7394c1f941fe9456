package volumetest

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"holdfast"
	"holdfast/volume"
)

// Model is what a bucket is to its users: keys with versions. The zero value is an empty bucket.
type Model struct {
	Versioning holdfast.Versioning
	keys       map[string][]ModelVersion // newest first
	uploads    map[string][]holdfast.UploadID
}

// ModelVersion is one version of a key in a [Model].
type ModelVersion struct {
	ID     holdfast.VersionID
	Null   bool
	Marker bool
	Data   []byte
}

// Put makes data the current version.
func (m *Model) Put(key string, id holdfast.VersionID, data []byte) {
	m.add(key, ModelVersion{ID: id, Data: data})
}

func (m *Model) add(key string, v ModelVersion) {
	if m.keys == nil {
		m.keys = make(map[string][]ModelVersion)
	}
	if v.Null = m.Versioning != holdfast.VersioningEnabled; v.Null {
		m.keys[key] = slices.DeleteFunc(m.keys[key], func(v ModelVersion) bool { return v.Null })
	}
	m.keys[key] = slices.Insert(m.keys[key], 0, v)
}

// Delete deletes a key as such; id is that of the delete marker, if one is made.
func (m *Model) Delete(key string, id holdfast.VersionID) {
	if m.Versioning != holdfast.VersioningOff {
		m.add(key, ModelVersion{ID: id, Marker: true})
		return
	}
	delete(m.keys, key)
}

// DeleteVersion deletes one version and reports whether it was there.
func (m *Model) DeleteVersion(key string, v volume.Version) bool {
	for i, have := range m.keys[key] {
		if v.Null && have.Null || !v.Null && have.ID == v.ID {
			m.keys[key] = slices.Delete(m.keys[key], i, i+1)
			if len(m.keys[key]) == 0 {
				delete(m.keys, key)
			}
			return true
		}
	}
	return false
}

// Get returns a version; false if it is not there. A marker counts as there.
func (m *Model) Get(key string, v volume.Version) (ModelVersion, bool) {
	for _, have := range m.keys[key] {
		if v.IsCurrent() || v.Null && have.Null || !v.Null && have.ID == v.ID {
			return have, true
		}
	}
	return ModelVersion{}, false
}

// Versions returns the versions of a key, newest first.
func (m *Model) Versions(key string) []ModelVersion { return m.keys[key] }

// Keys returns all keys that have versions, in order.
func (m *Model) Keys() []string { return slices.Sorted(maps.Keys(m.keys)) }

// AddUpload notes an unfinished upload.
func (m *Model) AddUpload(key string, id holdfast.UploadID) {
	if m.uploads == nil {
		m.uploads = make(map[string][]holdfast.UploadID)
	}
	m.uploads[key] = append(m.uploads[key], id)
}

// EndUpload forgets an upload.
func (m *Model) EndUpload(key string, id holdfast.UploadID) {
	m.uploads[key] = slices.DeleteFunc(m.uploads[key], func(have holdfast.UploadID) bool { return have == id })
}

// Line is what a listing shows in one line.
type Line struct {
	Key          string
	CommonPrefix bool
	Version      holdfast.VersionID
	Marker       bool
	Latest       bool
	Size         int64
	Upload       holdfast.UploadID
}

// Lines turns a page into lines.
func Lines(page volume.ListPage, what holdfast.Listing) []Line {
	lines := make([]Line, len(page.Items))
	for i, it := range page.Items {
		lines[i] = Line{Key: it.Key, CommonPrefix: it.CommonPrefix}
		if it.Entry != nil {
			lines[i].Version, lines[i].Size = it.Entry.Version, it.Entry.Size
			if what == holdfast.ListVersions {
				lines[i].Marker, lines[i].Latest = it.Entry.Marker, it.Latest
			}
		}
		if it.Upload != nil {
			lines[i].Upload = it.Upload.ID
		}
	}
	return lines
}

// all returns every line of a listing without prefix and delimiter, in order.
func (m *Model) all(what holdfast.Listing) (lines []Line) {
	if what == holdfast.ListUploads {
		for _, key := range slices.Sorted(maps.Keys(m.uploads)) {
			ids := slices.Clone(m.uploads[key])
			slices.SortFunc(ids, func(a, b holdfast.UploadID) int { return bytes.Compare(a[:], b[:]) })
			for _, id := range ids {
				lines = append(lines, Line{Key: key, Upload: id})
			}
		}
		return lines
	}
	for _, key := range m.Keys() {
		for i, v := range m.keys[key] {
			line := Line{Key: key, Version: v.ID, Size: int64(len(v.Data))}
			if what == holdfast.ListVersions {
				line.Marker, line.Latest = v.Marker, i == 0
			} else if i > 0 || v.Marker {
				continue
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// List returns the lines of a page and whether there are more.
func (m *Model) List(o volume.ListOptions) (page []Line, more bool) {
	passed := o.After.Key == ""
	for _, line := range m.all(o.What) {
		rest, ok := strings.CutPrefix(line.Key, o.Prefix)
		if !ok {
			continue
		}
		if i := strings.Index(rest, o.Delimiter); o.Delimiter != "" && i >= 0 {
			line = Line{Key: o.Prefix + rest[:i+len(o.Delimiter)], CommonPrefix: true}
		}
		if !passed && !m.passed(line, o) {
			continue
		}
		if n := len(page); line.CommonPrefix && n > 0 && page[n-1] == line {
			continue
		}
		if len(page) == o.Limit {
			return page, o.Limit > 0
		}
		page = append(page, line)
	}
	return page, false
}

// passed reports whether a line is behind the position that the page begins after.
func (m *Model) passed(line Line, o volume.ListOptions) bool {
	switch {
	case line.CommonPrefix && strings.HasPrefix(o.After.Key, line.Key):
		return false
	case line.Key != o.After.Key:
		return line.Key > o.After.Key
	case o.What == holdfast.ListVersions && o.After.Version != holdfast.VersionID{}:
		return bytes.Compare(line.Version[:], o.After.Version[:]) < 0
	case o.What == holdfast.ListUploads && o.After.Upload != holdfast.UploadID{}:
		return bytes.Compare(line.Upload[:], o.After.Upload[:]) > 0
	}
	return false
}
