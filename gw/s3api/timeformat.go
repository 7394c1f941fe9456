package s3api

import (
	"net/http"
	"time"
)

// AppendTime appends t as S3 writes times in XML: 2006-01-02T15:04:05.000Z, in UTC, milliseconds cut off. It does by hand what
// time.AppendFormat does with a layout, at a third of the cost: a listing holds one time per key. Years outside
// 0 to 9999 are written modulo 10000.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int(month), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, hour, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, minute, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, second, 2)
	dst = append(dst, '.')
	dst = appendDigits(dst, t.Nanosecond()/int(time.Millisecond), 3)
	return append(dst, 'Z')
}

// appendDigits appends the last width decimal digits of n.
func appendDigits(dst []byte, n, width int) []byte {
	if n < 0 {
		n = -n
	}
	var buf [4]byte
	for i := width - 1; i >= 0; i-- {
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, buf[:width]...)
}

// LastModified returns t as the Last-Modified header has it (RFC 9110 section 5.6.7): GMT, whole seconds.
func LastModified(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func appendTimeElement(dst []byte, name string, t time.Time) []byte {
	dst = appendOpen(dst, name)
	dst = AppendTime(dst, t)
	return appendClose(dst, name)
}
