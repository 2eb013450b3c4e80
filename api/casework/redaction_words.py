"""Words that name nobody by themselves: only data, in the forms that people write.

They count towards a sealed value only beside another word of it.
"""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Of addresses, institutions and forms of address, Indonesian and English.
GENERIC = _set(
    """
    jalan jln gang dusun dukuh kampung desa kelurahan kecamatan kabupaten kotamadya kota provinsi
    propinsi negara daerah wilayah kawasan blok nomor lantai kamar rumah aman wisma hotel losmen
    penginapan apartemen perumahan komplek kompleks pondok ruko toko pasar gedung kantor cabang
    pusat barat timur utara selatan tengah tenggara atas bawah baru lama besar kecil raya dalam
    luar dekat belakang depan samping seberang sekitar antara street road avenue village district
    city regency province house room floor building block north south east west central
    polisi kepolisian polres polsek polda polresta polrestabes mabes polri kodim koramil kodam
    korem tentara militer brimob satpol dinas kementerian badan lembaga komisi kepala wakil ketua
    anggota bupati gubernur camat lurah walikota presiden menteri jaksa kejaksaan hakim pengadilan
    perusahaan pabrik perkebunan kebun tambang tambak hutan yayasan organisasi serikat buruh tani
    petani nelayan aliansi jaringan koalisi forum komunitas kelompok masyarakat adat warga bantuan
    hukum media universitas institut sekolah madrasah pesantren masjid gereja rumahsakit puskesmas
    klinik koperasi bank koran majalah radio televisi company office police military army chief
    head court union school university hospital clinic foundation network tbk
    keluarga kerabat saudara saudari teman rekan tetangga istri suami anak orang tua bapak ibu
    kakak adik paman bibi nenek kakek mbak abang family relative friend neighbour neighbor brother
    sister wife husband mother father uncle aunt female male perempuan lelaki laki wanita pria
    woman transgender bekas mantan pernah pihak oleh mitra menumpang menginap tinggal bertempat
    berada berpindah sementara terakhir terlihat keadaan tenang bekerja kerja
    januari februari maret april juni juli agustus september oktober november desember
    """
)

#: So common that a fragment of a name, or a slip of one letter, is not read into them.
COMMON = GENERIC | _set(
    """
    yang dari pada untuk dengan dalam akan tidak bukan sudah belum telah sedang masih juga saja
    lagi atau tetapi tapi namun karena sebab jika kalau bila saat ketika setelah sebelum sejak
    sampai hingga agar supaya maka lalu kemudian serta bahwa adalah ialah yaitu yakni seperti
    bagai oleh para semua setiap suatu sebuah seorang beberapa banyak sedikit sangat lebih paling
    kurang cukup hanya pun dapat bisa boleh harus wajib perlu ingin mau minta beri buat bawa ambil
    lihat dengar kata kami kita mereka dia anda kalian saya aku ini itu sini situ sana mana siapa
    kapan apa mengapa bagaimana hari minggu bulan tahun pagi siang sore malam waktu jam menit kali
    satu dua tiga empat lima enam tujuh delapan sembilan puluh ratus ribu juta sama lain baik buruk
    benar salah hidup mati jatuh naik turun masuk keluar pergi pulang datang jadi menjadi awal
    akhir tanah lahan sawit laut sungai gunung pantai desa rakyat putra putri wati awan iman karya
    jaya mata hati kaki tangan kepala muka bumi raja ratu setia harta budaya masa rasa surat aksi
    aktivis pembela korban pelaku saksi lapor laporan pelapor ancaman kasus kejadian peristiwa
    nama alamat lokasi tautan pihak nomor telepon surel akun tanggal lahir usia identitas kendaraan
    berkas rekening dihapus lainnya tempat
    foto video rekaman dokumen salinan lampiran kronologi scan photo document copy
    info admin redaksi kontak mail email
    that this with from have been were will would their there they them then than when what which
    who whom whose where while after before about into over under again further once here some
    such only same very more most other each both between during because until against through
    """
)

#: Before and after a name, written with it.
PREFIXES = _set("si di ke mas mbak pak bu bang kak kang cak gus bung om tante the")
SUFFIXES = ("nya", "lah", "kah", "pun", "kan", "ku", "mu", "an", "s")

#: Before a name, or in its middle; they go with it.
TITLES = _set(
    """
    h haji hj hajjah dr drg drh drs dra ir prof kh tgh ust ustad ustadz ustaz ustadzah kyai kiai
    ra rr adv pdt pendeta pastor suster bapak bpk pak ibu bu sdr sdri saudara
    saudari tn ny nn tuan nyonya nona mr mrs ms mas mbak bang kang cak bung bin binti binte bt
    alias als aka i ni si almarhum almarhumah alm mbah
    """
)

#: Three letters that are a word before they are a name.
SHORT = _set(
    """
    ada air aku apa api ban bin bom bus cat dan dia dua hak hal ham hari ibu ini itu jam kah kan
    kau kos lah lain lagi mas mau nan nah oke pak pas per pos pun sah sel tak tas tim tni tua uang
    and are but can did for had has her him his how its may not now off old one our out own she
    the too two was who why you any all
    """
)

#: Two letters that stand for other things than for somebody, in capitals.
SHORT_FORMS = _set("di ke si pt cv ud ri uu hp wa ig fb rt rw km ha kg tv no ok us un")
