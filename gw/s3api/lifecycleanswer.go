package s3api

// AppendLifecycle appends a lifecycle configuration: the answer of GetBucketLifecycleConfiguration, which [DecodeLifecycle] reads back as
// it is.
func AppendLifecycle(dst []byte, l *Lifecycle) []byte {
	dst = appendRoot(dst, "LifecycleConfiguration")
	for i := range l.Rules {
		dst = appendLifecycleRule(dst, &l.Rules[i])
	}
	return appendClose(dst, "LifecycleConfiguration")
}

func appendLifecycleRule(dst []byte, r *LifecycleRule) []byte {
	dst = appendOpen(dst, "Rule")
	dst = appendElement(dst, "ID", r.ID)
	dst = appendLifecycleFilter(dst, &r.Filter)
	status := "Disabled"
	if r.Enabled {
		status = "Enabled"
	}
	dst = appendElement(dst, "Status", status)
	dst = appendExpiration(dst, r)
	if r.NoncurrentDays > 0 {
		dst = appendOpen(dst, "NoncurrentVersionExpiration")
		dst = appendInt(dst, "NoncurrentDays", int64(r.NoncurrentDays))
		if r.NewerVersions > 0 {
			dst = appendInt(dst, "NewerNoncurrentVersions", int64(r.NewerVersions))
		}
		dst = appendClose(dst, "NoncurrentVersionExpiration")
	}
	if r.AbortDays > 0 {
		dst = appendOpen(dst, "AbortIncompleteMultipartUpload")
		dst = appendInt(dst, "DaysAfterInitiation", int64(r.AbortDays))
		dst = appendClose(dst, "AbortIncompleteMultipartUpload")
	}
	return appendClose(dst, "Rule")
}

func appendExpiration(dst []byte, r *LifecycleRule) []byte {
	if r.ExpireDays == 0 && r.ExpireDate.IsZero() && !r.ExpireDeleteMarkers && !r.deleteMarkerFalse {
		return dst
	}
	dst = appendOpen(dst, "Expiration")
	switch {
	case r.ExpireDays > 0:
		dst = appendInt(dst, "Days", int64(r.ExpireDays))
	case !r.ExpireDate.IsZero():
		dst = appendElement(dst, "Date", r.ExpireDate.Format("2006-01-02T15:04:05.000Z"))
	default:
		dst = appendBool(dst, "ExpiredObjectDeleteMarker", r.ExpireDeleteMarkers)
	}
	return appendClose(dst, "Expiration")
}

// appendLifecycleFilter writes a filter in the form it came in.
func appendLifecycleFilter(dst []byte, f *LifecycleFilter) []byte {
	if f.form == formLegacy {
		return appendElement(dst, "Prefix", f.Prefix)
	}
	dst = appendOpen(dst, "Filter")
	switch f.form {
	case formPrefix:
		dst = appendElement(dst, "Prefix", f.Prefix)
	case formAnd:
		dst = appendOpen(dst, "And")
		if f.Prefix != "" {
			dst = appendElement(dst, "Prefix", f.Prefix)
		}
		dst = appendConditions(dst, f)
		dst = appendClose(dst, "And")
	default:
		dst = appendConditions(dst, f)
	}
	return appendClose(dst, "Filter")
}

// appendConditions writes the conditions of a filter but the prefix.
func appendConditions(dst []byte, f *LifecycleFilter) []byte {
	for _, t := range f.Tags {
		dst = appendOpen(dst, "Tag")
		dst = appendElement(dst, "Key", t.Name)
		dst = appendElement(dst, "Value", t.Value)
		dst = appendClose(dst, "Tag")
	}
	if f.Larger >= 0 {
		dst = appendInt(dst, "ObjectSizeGreaterThan", f.Larger)
	}
	if f.Smaller >= 0 {
		dst = appendInt(dst, "ObjectSizeLessThan", f.Smaller)
	}
	return dst
}
