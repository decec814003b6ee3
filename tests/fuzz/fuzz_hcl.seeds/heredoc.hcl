a = <<EOF
line
EOF
b = <<-END
    indented
      more
    END
c = "${x "q" {}}\n\x41\u20ac\U0001f511\101"
