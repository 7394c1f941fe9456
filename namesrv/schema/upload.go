package schema

import (
	"holdfast"
)

// AppendUpload appends the value of an unfinished upload, or of its line in the index. The id is in the key.
func AppendUpload(b []byte, u *holdfast.Upload, home holdfast.Slot) []byte {
	b = append(b, formTagged)
	b = appendTime(b, u.Initiated)
	b = appendString(b, u.Initiator)
	return AppendEntry(b, &Record{Entry: u.Entry}, home)
}

// DecodeUpload reads an unfinished upload.
func DecodeUpload(u *holdfast.Upload, id holdfast.UploadID, v []byte, home holdfast.Slot, a *Arena) error {
	*u = holdfast.Upload{ID: id}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	u.Initiated = r.time()
	u.Initiator = a.String(r.chunk())
	if r.bad {
		return errFormat
	}
	var rec Record
	err := DecodeEntry(&rec, r.b, home, All, a)
	u.Entry = rec.Entry
	return err
}

// AppendUploadedPart appends the value of a part of an unfinished upload.
func AppendUploadedPart(b []byte, p *holdfast.UploadedPart, home holdfast.Slot) []byte {
	b = append(b, formTagged)
	b = appendTime(b, p.Modified)
	return AppendPart(b, &p.Part, home)
}

// DecodeUploadedPart reads a part of an unfinished upload.
func DecodeUploadedPart(p *holdfast.UploadedPart, v []byte, home holdfast.Slot, a *Arena) error {
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	p.Modified = r.time()
	p.Part = r.part(home, a)
	return r.err()
}

// Done remembers a completed upload: what the first complete request was told.
type Done struct {
	Created bool
	Record  Record // without its part table
}

// AppendDone appends the value of a completed upload.
func AppendDone(b []byte, d *Done, home holdfast.Slot) []byte {
	created := byte(0)
	if d.Created {
		created = 1
	}
	return AppendEntry(append(b, formTagged, created), &d.Record, home)
}

// DecodeDone reads a completed upload.
func DecodeDone(d *Done, v []byte, home holdfast.Slot, a *Arena) error {
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	d.Created = r.byte() == 1
	if r.bad {
		return errFormat
	}
	return DecodeEntry(&d.Record, r.b, home, All, a)
}
