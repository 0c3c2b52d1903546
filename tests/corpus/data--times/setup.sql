create table public.t (a date, b time, c timetz, d timestamp, e timestamptz, f interval);
insert into public.t values ('infinity', '24:00', '00:00-15:59', 'infinity', '-infinity', '178000000 years'),
    ('-infinity', '00:00', '24:00+15:59', '-infinity', 'infinity', '-178000000 years'), ('5874897-12-31', '23:59:59.999999', '12:00:00.000001+00', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '1 year -2 days 03:04:05.000006'),
    ('4713-01-01 BC', '00:00:00.000001', '12:00+05:30:15', '4713-01-01 00:00 BC', '4713-01-02 00:00+00 BC', '0'), ('0001-01-01', '12:00', '12:00+00', '1582-10-15', '1883-11-18 12:00+00', '-1 mon +1 day');
set timezone = 'Asia/Kathmandu'; set datestyle = 'sql, dmy'; set intervalstyle = 'iso_8601';
insert into public.t (e, f) values ('2024-02-29 12:00', 'P1Y2M3DT4H5M6S');
